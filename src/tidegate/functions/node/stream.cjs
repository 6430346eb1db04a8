/*
 * Response streaming: the stream that a handler of `awslambda.streamifyResponse` writes to.
 *
 * AWS: "Response streaming for Lambda functions"; HttpResponseStream puts status and headers before the body: JSON, then
 * eight NUL bytes.
 */
'use strict';

const { Writable } = require('node:stream');
const { payload } = require('./errors.cjs');

const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');
const HIGH_WATER_MARK = Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark');
const HTTP_RESPONSE = 'application/vnd.awslambda.http-integration-response';

class ResponseStream extends Writable {
  #upload;
  #id;
  #contentType = 'application/octet-stream';
  #opened = false;
  #prelude = null;

  constructor(upload, id, highWaterMark) {
    super({ highWaterMark, autoDestroy: false });
    this.#upload = upload;
    this.#id = id;
  }

  get opened() {
    return this.#opened;
  }

  setContentType(contentType) {
    if (this.#opened) throw new Error('Cannot set the content type: the response has begun.');
    this.#contentType = String(contentType).replace(/[\r\n]/g, '');
  }

  setPrelude(prelude) {
    this.#prelude = prelude;
  }

  _write(chunk, _encoding, done) {
    this.#open();
    if (chunk.length === 0) done();
    else this.#upload.write(chunk, done);
  }

  _final(done) {
    this.#open();
    this.#upload.close(null, () => done());
  }

  /** The handler has failed after the response had begun: what has been sent stays, the error follows it. */
  abandon(error, done) {
    this.#upload.close(payload(error), done);
    this.destroy();
  }

  #open() {
    if (this.#opened) return;
    this.#opened = true;
    this.#upload.open(this.#id, this.#contentType);
    if (this.#prelude !== null) {
      this.#upload.write(Buffer.concat([Buffer.from(JSON.stringify(this.#prelude)), Buffer.alloc(8)]), () => {});
    }
  }
}

const awslambda = {
  streamifyResponse(handler, options) {
    handler[STREAMING] = 'response';
    if (typeof options?.highWaterMark === 'number') handler[HIGH_WATER_MARK] = Math.trunc(options.highWaterMark);
    return handler;
  },
  HttpResponseStream: {
    from(stream, prelude) {
      stream.setContentType(HTTP_RESPONSE);
      stream.setPrelude(prelude);
      return stream;
    },
  },
};

module.exports = { HIGH_WATER_MARK, ResponseStream, STREAMING, awslambda };
