'use strict';

// The careful encoding: V8's own serializer, so that whatever structured clone carries is carried here in the
// same way. Ours is only what V8 leaves to its embedder: views on binary data.

const { Serializer, Deserializer } = require('node:v8');
const { isArrayBuffer, isMap, isSet, isSharedArrayBuffer } = require('node:util').types;
const { homeward } = require('./realm');

/** Binary of at least this many bytes travels beside the message instead of inside it. */
const ATTACHMENT_BYTES = 65536;

const BUFFER = 0;
const BUFFER_ATTACHED = 1;
/** A view that covers all of its ArrayBuffer, which follows as a value and may be shared with others. */
const WHOLE = 2;
/** A view on a part of an ArrayBuffer; only that part is sent. */
const WINDOW = 3;
const WINDOW_ATTACHED = 4;

/** @typedef {new (buffer: ArrayBufferLike) => ArrayBufferView} ViewClass */

/** @type {ViewClass[]} */
const VIEWS = [
  Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array,
  Float32Array, Float64Array, BigInt64Array, BigUint64Array, DataView,
];
// Appended last: the position in this list is part of the wire format, and not every Node has this class.
if (typeof Float16Array === 'function') VIEWS.push(Float16Array);

const VIEW_NAMES = VIEWS.map((view) => view.name);

/** What V8 or a host object refuses; told apart from an error that a getter of the user threw. */
class CloneRefusal extends Error {}

class CloneWriter extends Serializer {
  constructor() {
    super();
    // @ts-expect-error The types of Node.js leave it out.
    this._setTreatArrayBufferViewsAsHostObjects(true);
    /** @type {null | Uint8Array[]} */
    this.attachments = null;
    this.attachedBuffers = null;
  }

  /** @param {Uint8Array} bytes @returns {number} its place among the attachments */
  attach(bytes) {
    this.attachments ??= [];
    return this.attachments.push(bytes) - 1;
  }

  /** A large ArrayBuffer is named by number; V8 then leaves its bytes out. @param {ArrayBuffer} buffer */
  attachBuffer(buffer) {
    // A resizable buffer would arrive with a fixed length if it were attached.
    if (buffer.byteLength < ATTACHMENT_BYTES || buffer.resizable) return;
    this.attachedBuffers ??= new Set();
    if (this.attachedBuffers.has(buffer)) return;
    this.attachedBuffers.add(buffer);
    this.transferArrayBuffer(this.attach(new Uint8Array(buffer)), buffer);
  }

  _writeHostObject(object) {
    if (!ArrayBuffer.isView(object)) throw new CloneRefusal(`a ${object.constructor?.name} cannot be cloned`);
    const { buffer, byteOffset, byteLength } = object;
    if (isSharedArrayBuffer(buffer)) throw new CloneRefusal('a view on a SharedArrayBuffer cannot be cloned');
    const isBuffer = Buffer.isBuffer(object);
    if (!isBuffer && byteOffset === 0 && byteLength === buffer.byteLength) {
      this.attachBuffer(buffer);
      this.writeUint32(WHOLE);
      this.writeUint32(viewIndex(object));
      this.writeValue(buffer);
      return;
    }
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    const attached = byteLength >= ATTACHMENT_BYTES;
    if (isBuffer) {
      this.writeUint32(attached ? BUFFER_ATTACHED : BUFFER);
    } else {
      this.writeUint32(attached ? WINDOW_ATTACHED : WINDOW);
      this.writeUint32(viewIndex(object));
    }
    if (attached) {
      this.writeUint32(this.attach(bytes));
    } else {
      this.writeUint32(byteLength);
      this.writeRawBytes(bytes);
    }
  }
}

// V8 calls this, as a plain function, for the error it throws.
// @ts-expect-error The types of Node.js leave it out.
CloneWriter.prototype._getDataCloneError = (message) => new CloneRefusal(message);

class CloneReader extends Deserializer {
  /** @param {Uint8Array} bytes @param {null | ArrayBuffer[]} attachments */
  constructor(bytes, attachments) {
    super(bytes);
    this.attachments = attachments;
    if (attachments !== null) attachments.forEach((buffer, i) => this.transferArrayBuffer(i, buffer));
  }

  attachment(index) {
    const buffer = this.attachments === null ? undefined : this.attachments[index];
    if (buffer === undefined) throw new RangeError(`there is no attachment ${index}`);
    return buffer;
  }

  _readHostObject() {
    const tag = this.readUint32();
    if (tag === BUFFER_ATTACHED) return Buffer.from(this.attachment(this.readUint32()));
    // Copied: the bytes that are read from belong to the caller, who will use them again.
    if (tag === BUFFER) return Buffer.from(this.readRawBytes(this.readUint32()));
    const View = VIEWS[this.readUint32()];
    if (View === undefined) throw new RangeError('this Node.js has no such kind of typed array');
    let buffer;
    if (tag === WHOLE) {
      buffer = this.readValue();
      if (!isArrayBuffer(buffer)) throw new TypeError('a typed array without an ArrayBuffer');
    } else if (tag === WINDOW) {
      buffer = Uint8Array.from(this.readRawBytes(this.readUint32())).buffer;
    } else if (tag === WINDOW_ATTACHED) {
      buffer = this.attachment(this.readUint32());
    } else {
      throw new RangeError(`there is no kind of binary data with number ${tag}`);
    }
    return new View(buffer);
  }
}

// The tag of the built-in class, also for a subclass or a view from another realm; a DataView has none.
const viewTag = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag,
).get;

/** @param {ArrayBufferView} view @returns {number} */
function viewIndex(view) {
  const name = viewTag.call(view) ?? 'DataView';
  const index = VIEW_NAMES.indexOf(name);
  if (index < 0) throw new CloneRefusal(`a ${name} cannot be cloned`);
  return index;
}

/** More objects than this are not searched: it would cost more than it saves. */
const SEARCH_LIMIT = 2000;

/**
 * V8 offers no say in how it writes a bare ArrayBuffer, so large ones have to be known before it starts.
 * One that is missed travels inside the message: slower, not wrong.
 * @param {unknown} root
 * @returns {ArrayBuffer[]}
 */
function largeBuffersIn(root) {
  const found = [];
  const seen = new Set([root]);
  for (const object of seen) {
    if (seen.size > SEARCH_LIMIT) break;
    if (typeof object !== 'object' || object === null || ArrayBuffer.isView(object)) continue;
    if (isArrayBuffer(object)) {
      if (object.byteLength >= ATTACHMENT_BYTES) found.push(object);
    } else if (isMap(object)) {
      for (const [key, value] of object) seen.add(key).add(value);
    } else if (isSet(object)) {
      for (const value of object) seen.add(value);
    } else if (Array.isArray(object)) {
      for (let i = 0; i < object.length && i < SEARCH_LIMIT; i++) seen.add(object[i]);
    } else {
      for (const key of Object.keys(object)) seen.add(object[key]);
    }
  }
  return found;
}

/**
 * @param {unknown} value
 * @returns {{bytes: Buffer, attachments: null | Uint8Array[]}}
 */
function writeClone(value) {
  const writer = new CloneWriter();
  for (const buffer of largeBuffersIn(value)) writer.attachBuffer(buffer);
  writer.writeHeader();
  writer.writeValue(value);
  return { bytes: writer.releaseBuffer(), attachments: writer.attachments };
}

/** @param {Uint8Array} bytes @param {null | ArrayBuffer[]} attachments @returns {unknown} */
function readClone(bytes, attachments) {
  const reader = new CloneReader(bytes, attachments);
  reader.readHeader();
  return homeward(reader.readValue());
}

module.exports = { writeClone, readClone, CloneRefusal, ATTACHMENT_BYTES };
