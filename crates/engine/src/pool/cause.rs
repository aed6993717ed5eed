//! Why workers are killed.

/// Why a worker was told to die, as the error of its tasks says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Cancelled in code that does not let go.
    Cancel,
    /// The same after a timeout.
    Timeout,
    StartTimeout,
    /// It closed or broke the channel through which it is served.
    Channel,
    /// It was stopped by a signal that is not ours while a task needed it.
    Stopped,
    /// Its loop did not turn and it used no CPU time, with a task.
    Stalled,
    /// Its loop did not turn, without a task, while tasks waited.
    Deaf,
    /// It was told to leave, had no task any more, and stayed.
    Teardown,
    /// It used more than it may.
    Limit,
    Close,
    Destroy,
    /// Some worker of the farm wrote over the shared queue.
    Poison,
}

impl Cause {
    /// As `killedFor` of an exit record says it.
    pub fn name(self) -> &'static str {
        match self {
            Cause::Cancel => "cancel",
            Cause::Timeout => "timeout",
            Cause::StartTimeout => "startTimeout",
            Cause::Channel => "channel",
            Cause::Stopped => "stopped",
            Cause::Stalled => "stalled",
            Cause::Deaf => "deaf",
            Cause::Teardown => "teardown",
            Cause::Limit => "limit",
            Cause::Close => "close",
            Cause::Destroy => "destroy",
            Cause::Poison => "poison",
        }
    }
}

/// Why a worker was asked to leave, as `retiredFor` of an exit record says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    Idle,
    /// It has done what one worker may do.
    Recycle,
    Reload,
    /// There are to be fewer.
    Resize,
    /// A spare that nobody needs any more.
    Spare,
    Close,
}

impl Leave {
    pub fn name(self) -> &'static str {
        match self {
            Leave::Idle => "idle",
            Leave::Recycle => "recycle",
            Leave::Reload => "reload",
            Leave::Resize => "resize",
            Leave::Spare => "spare",
            Leave::Close => "close",
        }
    }
}
