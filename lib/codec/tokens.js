'use strict';

// The first byte of each value in the plain encoding. Bytes below 0x80 are the integers 0 to 127; all numbers
// of more than one byte are little-endian.
//
// A message is the bytes of its value, then its text: all strings of up to 255 characters, one after the other.
// The last byte tells the length of the text, or how the four or five bytes before it do.

module.exports = Object.freeze({
  /** + length: a string of up to 31 characters, the next ones of the text */
  SHORT_STRING: 0x80,
  /** + length: up to 15 values */
  SHORT_ARRAY: 0xa0,
  /** + number: an object of one of the first 16 shapes of the message; its values follow */
  SHORT_SHAPE: 0xb0,
  NULL: 0xc0,
  UNDEFINED: 0xc1,
  FALSE: 0xc2,
  TRUE: 0xc3,
  INT16: 0xc4,
  INT32: 0xc5,
  DOUBLE: 0xc6,
  /** a double, the time value */
  DATE: 0xc7,
  /** u8 length: the next characters of the text */
  STRING: 0xc8,
  /** u32 length in bytes */
  UTF8: 0xc9,
  /** u32 length in units of two bytes */
  UTF16: 0xca,
  /** u32 length, values */
  ARRAY: 0xcb,
  /** u32 number, values */
  SHAPE: 0xcc,
  /** u32 length and i32 hash of the keys, the keys as JSON; then the values of a first object */
  DEFINE: 0xcd,
  /** u32 count, then key and value by turns */
  PAIRS: 0xce,

  /** Last bytes: below these two, the length of a text of one byte per character. */
  LATIN_TEXT: 0xfe,
  /** u32 length in bytes before it; LATIN_TEXT of one, WIDE_TEXT of two bytes per character */
  WIDE_TEXT: 0xff,
});
