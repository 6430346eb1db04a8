/*
 * Responses in chunks, by the Runtime API over HTTP: a connection that is made when the first one begins, and kept open. It
 * speaks no more HTTP than that API needs.
 *
 * The connection keeps the process alive only while something is to be written or answered.
 *
 * AWS: "Using the Lambda runtime API for custom runtimes" (2018-06-01), response streaming.
 */
'use strict';

const net = require('node:net');

const ERROR_TYPE = 'Lambda-Runtime-Function-Error-Type';
const ERROR_BODY = 'Lambda-Runtime-Function-Error-Body';
const HEAD_END = '\r\n\r\n';

class Upload {
  #address;
  #socket = null;
  #done = null;
  #reply = '';

  constructor(address) {
    this.#address = address;
  }

  /** Begin a response. */
  open(id, contentType) {
    this.#socket ??= this.#connect();
    this.#socket.write(
      `POST /2018-06-01/runtime/invocation/${id}/response HTTP/1.1\r\nHost: ${this.#address}\r\n` +
        `Content-Type: ${contentType}\r\nLambda-Runtime-Function-Response-Mode: streaming\r\n` +
        `Transfer-Encoding: chunked\r\nTrailer: ${ERROR_TYPE}, ${ERROR_BODY}${HEAD_END}`,
    );
  }

  /** `done` is called when the gateway has room for more. */
  write(chunk, done) {
    this.#socket.ref();
    this.#socket.cork();
    this.#socket.write(`${chunk.length.toString(16)}\r\n`);
    this.#socket.write(chunk);
    this.#socket.write('\r\n', () => {
      if (this.#done === null) this.#socket.unref();
      done();
    });
    this.#socket.uncork();
  }

  /** `error`: why the response is not whole, or null. `done` is called when the gateway has it all. */
  close(error, done) {
    this.#done = done;
    this.#socket.ref();
    this.#socket.write(`0\r\n${error === null ? '' : trailers(error)}\r\n`);
  }

  #connect() {
    const colon = this.#address.lastIndexOf(':');
    const [host, port] = [this.#address.slice(0, colon), Number(this.#address.slice(colon + 1))];
    const socket = net.connect({ host, port, noDelay: true });
    socket.on('data', (data) => this.#received(data));
    socket.on('error', () => process.exit(1));
    socket.on('close', () => process.exit(1)); // whoever started us has gone
    socket.unref();
    return socket;
  }

  #received(data) {
    this.#reply += data.toString('latin1');
    const end = this.#reply.indexOf(HEAD_END);
    if (end < 0) return;
    const length = /^content-length: *(\d+)/im.exec(this.#reply.slice(0, end));
    if (this.#reply.length < end + HEAD_END.length + Number(length?.[1] ?? 0)) return;
    this.#reply = '';
    const done = this.#done;
    this.#done = null;
    this.#socket.unref();
    done?.();
  }
}

function trailers(error) {
  const kind = String(error.errorType).replace(/[^\x20-\x7e]/g, '');
  return `${ERROR_TYPE}: ${kind}\r\n${ERROR_BODY}: ${Buffer.from(JSON.stringify(error)).toString('base64')}\r\n`;
}

module.exports = { Upload };
