'use strict';

/** How the command ends. */

const EXIT = {
  /** All inputs are done, or the reader of the output wanted no more. */
  done: 0,
  failed: 1,
  usage: 2,
  SIGINT: 130,
  SIGTERM: 143,
};

/** The user asked for something that cannot be done; nothing was begun. */
class UsageError extends Error {}

/** The work cannot go on: no room for the output, no worker that starts. What is done stays done. */
class FatalError extends Error {}

module.exports = { EXIT, UsageError, FatalError };
