/*
 * The channel to the gateway: one message each way for an invocation, over a socket that this process has inherited. The
 * messages are described in functions/channel.py.
 *
 * The socket keeps the process alive only while an answer is awaited: when the function's own work has ended without a
 * result, the event loop is empty, and `beforeExit` tells.
 */
'use strict';

const { isAscii = () => false } = require('node:buffer'); // since 18.15
const net = require('node:net');

const PREFIX = 5;
const HEAD = 22;
const NO_CONTEXT = 0xffffffff;
const ROOM = 65536;
const KEPT = 2 ** 21; // a larger buffer is given back, as it counts as the function's memory

class Channel {
  #socket;
  #waiting = null;
  #buffer = Buffer.allocUnsafeSlow(ROOM); // messages are read straight into it; it grows with them
  #size = 0;
  #wanted = HEAD;

  constructor(descriptor) {
    const onread = { buffer: () => this.#buffer.subarray(this.#size), callback: (count) => this.#received(count) };
    this.#socket = new net.Socket({ fd: descriptor, readable: true, writable: true, onread });
    this.#socket.on('error', () => process.exit(1));
    this.#socket.on('close', () => process.exit(1)); // whoever started us has gone
    this.#socket.unref();
  }

  /** `then(invocation)`: of the next one. */
  next(then) {
    this.#await('N', '', then);
  }

  /** Answer the invocation and ask for the next. */
  respond(body, then) {
    this.#await('R', body, then);
  }

  /** As `respond`, for an invocation that has failed; `then` may be null: nothing more is asked for, `done` is called. */
  fail(error, then, done) {
    const body = JSON.stringify(error);
    if (then === null) this.#send('F', body, done);
    else this.#await('E', body, then);
  }

  failInit(error, done) {
    this.#send('I', JSON.stringify(error), done);
  }

  #await(letter, body, then) {
    this.#waiting = then;
    this.#send(letter, body);
  }

  #send(letter, body, done) {
    const length = Buffer.byteLength(body);
    const message = Buffer.allocUnsafe(PREFIX + length);
    message.write(letter, 0, 'latin1');
    message.writeUInt32BE(length, 1);
    message.write(body, PREFIX, 'utf8');
    this.#socket.ref();
    this.#socket.write(message, done);
  }

  #received(count) {
    this.#size += count;
    if (this.#size < this.#wanted) return true;
    const all = this.#buffer;
    const payload = all.readUInt32BE(0);
    const id = HEAD + all.readUInt16BE(12);
    const arn = id + all.readUInt16BE(14);
    const trace = arn + all.readUInt16BE(16);
    const context = all.readUInt32BE(18);
    const start = trace + (context === NO_CONTEXT ? 0 : context);
    this.#wanted = start + payload;
    if (this.#size < this.#wanted) {
      if (this.#wanted > all.length) this.#grow(this.#wanted);
      return true;
    }
    this.#size = 0;
    this.#wanted = HEAD;
    if (all.length > KEPT) this.#buffer = Buffer.allocUnsafeSlow(ROOM);
    const then = this.#waiting;
    this.#waiting = null;
    this.#socket.unref();
    then({
      id: all.latin1Slice(HEAD, id),
      deadline: all.readUInt32BE(4) * 0x100000000 + all.readUInt32BE(8),
      arn: all.utf8Slice(id, arn),
      trace: all.utf8Slice(arn, trace),
      clientContext: context === NO_CONTEXT ? undefined : all.utf8Slice(trace, start),
      body: textOf(all, start, start + payload),
    });
    return true;
  }

  #grow(size) {
    const larger = Buffer.allocUnsafeSlow(size);
    this.#buffer.copy(larger, 0, 0, this.#size);
    this.#buffer = larger;
  }
}

/** Plain ASCII, as most of JSON is, is copied some three times as fast when it need not be decoded. */
function textOf(buffer, start, end) {
  return isAscii(buffer.subarray(start, end)) ? buffer.latin1Slice(start, end) : buffer.utf8Slice(start, end);
}

module.exports = { Channel };
