/*
 * The Runtime API's client: one connection, kept open, requests in order. It speaks no more HTTP than that API needs.
 *
 * The connection keeps the process alive only while an answer is awaited: when the function's own work has ended without a
 * result, the event loop is empty, and `beforeExit` tells.
 *
 * AWS: "Using the Lambda runtime API for custom runtimes" (2018-06-01).
 */
'use strict';

const net = require('node:net');

const BASE = '/2018-06-01/runtime';
const ERROR_TYPE = 'Lambda-Runtime-Function-Error-Type';
const ERROR_BODY = 'Lambda-Runtime-Function-Error-Body';
const HEAD_END = Buffer.from('\r\n\r\n');

class RuntimeApi {
  #host;
  #socket;
  #awaiting = [];
  #rest = null;

  constructor(address) {
    this.#host = `HTTP/1.1\r\nHost: ${address}\r\n`;
    const colon = address.lastIndexOf(':');
    this.#socket = net.connect({ host: address.slice(0, colon), port: Number(address.slice(colon + 1)), noDelay: true });
    this.#socket.on('data', (data) => this.#received(data));
    this.#socket.on('error', () => process.exit(1));
    this.#socket.on('close', () => process.exit(1)); // whoever started us has gone
    this.#socket.unref();
  }

  /** `then(headers, body)`: the next invocation; names of headers in lower case. */
  next(then) {
    this.#ask(this.#nextRequest(), (_status, headers, body) => then(headers, body));
  }

  /** Answer an invocation and ask for the next in one write. */
  respond(id, body, then) {
    this.#answer(this.#post(`invocation/${id}/response`, body, ''), then);
  }

  /** As `respond`, for an invocation that has failed; `then` may be null: nothing more is asked for, `done` is called. */
  fail(id, error, then, done) {
    const request = this.#post(`invocation/${id}/error`, JSON.stringify(error), errorField(error));
    if (then === null) this.#ask(request, done);
    else this.#answer(request, then);
  }

  failInit(error, done) {
    this.#ask(this.#post('init/error', JSON.stringify(error), errorField(error)), done);
  }

  /** Begin a response in chunks. */
  openStream(id, contentType) {
    this.#socket.write(
      `POST ${BASE}/invocation/${id}/response ${this.#host}Content-Type: ${contentType}\r\n` +
        `Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n` +
        `Trailer: ${ERROR_TYPE}, ${ERROR_BODY}\r\n\r\n`,
    );
  }

  /** `done` is called when the gateway has room for more. */
  writeChunk(chunk, done) {
    this.#socket.ref();
    this.#socket.cork();
    this.#socket.write(`${chunk.length.toString(16)}\r\n`);
    this.#socket.write(chunk);
    this.#socket.write('\r\n', () => {
      if (this.#awaiting.length === 0) this.#socket.unref();
      done();
    });
    this.#socket.uncork();
  }

  /** `error`: why the response is not whole, or null. */
  closeStream(error, done) {
    const trailers =
      error === null
        ? ''
        : `${errorField(error)}${ERROR_BODY}: ${Buffer.from(JSON.stringify(error)).toString('base64')}\r\n`;
    this.#ask(`0\r\n${trailers}\r\n`, done);
  }

  #nextRequest() {
    return `GET ${BASE}/invocation/next ${this.#host}\r\n`;
  }

  #post(path, body, fields) {
    const length = Buffer.byteLength(body);
    return `POST ${BASE}/${path} ${this.#host}Content-Type: application/json\r\n${fields}Content-Length: ${length}\r\n\r\n${body}`;
  }

  #answer(request, then) {
    this.#awaiting.push(() => {});
    this.#ask(request + this.#nextRequest(), (_status, headers, body) => then(headers, body));
  }

  #ask(request, then) {
    this.#awaiting.push(then);
    this.#socket.ref();
    this.#socket.write(request);
  }

  #received(data) {
    let rest = this.#rest === null ? data : Buffer.concat([...this.#rest.parts, data]);
    if (this.#rest !== null && rest.length < this.#rest.wanted) {
      this.#rest.parts.push(data);
      return;
    }
    for (;;) {
      const end = rest.indexOf(HEAD_END);
      if (end < 0) break;
      const [status, headers] = parseHead(rest.toString('utf8', 0, end));
      const whole = end + 4 + Number(headers['content-length'] ?? 0);
      if (rest.length < whole) {
        this.#rest = { parts: [rest], wanted: whole };
        return;
      }
      const body = rest.toString('utf8', end + 4, whole);
      rest = rest.subarray(whole);
      const then = this.#awaiting.shift();
      if (this.#awaiting.length === 0) this.#socket.unref();
      this.#rest = null;
      then(status, headers, body);
      if (rest.length === 0) return;
    }
    this.#rest = { parts: [rest], wanted: 0 };
  }
}

function parseHead(text) {
  const lines = text.split('\r\n');
  const headers = {};
  for (let index = 1; index < lines.length; index += 1) {
    const line = lines[index];
    const colon = line.indexOf(':');
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  return [Number(lines[0].slice(9, 12)), headers];
}

function errorField(error) {
  const kind = String(error.errorType).replace(/[^\x20-\x7e]/g, '');
  return `${ERROR_TYPE}: ${kind}\r\n`;
}

module.exports = { RuntimeApi };
