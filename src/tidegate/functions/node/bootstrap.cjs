/*
 * Tidegate's runtime client for Node.js: loads the handler, then serves one invocation after the other. Needs Node.js 18.
 * Everything that a handler can see of it is as in AWS's: the three kinds of handlers (async, callback, streaming), the
 * context, `console`, error payloads, exit codes.
 *
 * AWS: "Building Lambda functions with Node.js".
 */
'use strict';

const { Channel } = require('./channel.cjs');
const { NODE_EXIT, RuntimeError, payload } = require('./errors.cjs');
const { loadHandler } = require('./handler.cjs');
const { current, logError, patchConsole } = require('./log.cjs');
const { leadHome } = require('./names.cjs');
const { HIGH_WATER_MARK, ResponseStream, STREAMING, awslambda } = require('./stream.cjs');
const { Upload } = require('./upload.cjs');

const UNCAUGHT_EXCEPTION = 129;
const UNHANDLED_REJECTION = 128;
const ONCE = 'Invocation has already been reported as done. Cannot call complete more than once per invocation.';

const env = process.env;
if (env._TIDEGATE_NAMES !== undefined) leadHome(env._TIDEGATE_NAMES);
delete env._TIDEGATE_NAMES;
const channel = new Channel(Number(env._TIDEGATE_CHANNEL));
delete env._TIDEGATE_CHANNEL;
const upload = new Upload(env.AWS_LAMBDA_RUNTIME_API);

/** What happens when the process cannot go on: `(error, exitCode)`. */
let die = (error, code) => channel.failInit(payload(error), () => process.exit(code));
/** What happens when the function has nothing to do any more; null: nothing is expected of it. */
let onIdle = null;

process.on('beforeExit', () => {
  const act = onIdle;
  onIdle = null;
  act?.();
});
process.on('uncaughtException', (error) => {
  logError('Uncaught Exception', error);
  die(error, UNCAUGHT_EXCEPTION);
});
process.on('unhandledRejection', (reason) => {
  const error = new RuntimeError('UnhandledPromiseRejection', reason);
  error.reason = reason;
  logError('Unhandled Promise Rejection', error);
  die(error, UNHANDLED_REJECTION);
});

function contextOf(invocation, members) {
  const { clientContext, deadline } = invocation;
  return Object.assign(members, {
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: clientContext === undefined ? undefined : JSON.parse(clientContext),
    identity: undefined,
    invokedFunctionArn: invocation.arn,
    awsRequestId: invocation.id,
    tenantId: undefined,
    getRemainingTimeInMillis: () => deadline - Date.now(),
  });
}

function begin(invocation) {
  current.requestId = invocation.id;
  env._X_AMZN_TRACE_ID = invocation.trace;
}

/** A handler that gives its result as a promise, or to a callback. */
function buffered(handler) {
  const expectsPromise = handler.constructor?.name === 'AsyncFunction';

  return function invoke(invocation) {
    begin(invocation);
    let waits = true;
    let called = false;
    let ended = false;

    const respond = (result) => {
      if (ended) {
        console.error(ONCE);
        return;
      }
      let text;
      try {
        text = JSON.stringify(result === undefined ? null : result) ?? 'null';
      } catch (error) {
        fail(new RuntimeError('MarshalError', `Unable to stringify response body: ${error}`));
        return;
      }
      ended = true;
      onIdle = null;
      channel.respond(text, invoke);
    };
    const fail = (error) => {
      if (ended) return;
      ended = true;
      onIdle = null;
      logError('Invoke Error', error);
      channel.fail(payload(error), invoke);
    };
    const once = (action) => (first, second) => {
      if (called) return;
      called = true;
      action(first, second);
    };
    const finish = (error, result) => (error === undefined || error === null ? respond(result) : fail(error));
    const callback = once((error, result) => {
      if (waits && (error === undefined || error === null)) onIdle = () => respond(result);
      else finish(error, result);
    });
    const context = {
      get callbackWaitsForEmptyEventLoop() {
        return waits;
      },
      set callbackWaitsForEmptyEventLoop(value) {
        waits = value;
      },
      succeed: once(respond),
      fail: once((error) => fail(error ?? 'handled')),
      done: once(finish),
    };

    die = (error, code) => {
      if (ended) process.exit(code);
      ended = true;
      channel.fail(payload(error), null, () => process.exit(code));
    };
    onIdle = () => {
      if (expectsPromise) fail(new RuntimeError('NodeJsExit', NODE_EXIT));
      else respond(null); // AWS: a handler that never calls back has succeeded with null
    };
    try {
      contextOf(invocation, context);
      const result = handler(JSON.parse(invocation.body), context, callback);
      if (typeof result?.then === 'function') result.then(context.succeed, context.fail);
    } catch (error) {
      callback(error ?? 'handled');
    }
  };
}

/** A handler made by `awslambda.streamifyResponse`. */
function streaming(handler) {
  return async function invoke(invocation) {
    begin(invocation);
    const stream = new ResponseStream(upload, invocation.id, handler[HIGH_WATER_MARK]);
    let waits = true;
    let ended = false;

    const next = () => channel.next(invoke);
    const fail = (error) => {
      if (ended) return;
      ended = true;
      onIdle = null;
      logError('Invoke Error', error);
      if (stream.opened) stream.abandon(error, next);
      else channel.fail(payload(error), invoke);
    };
    const context = {
      get callbackWaitsForEmptyEventLoop() {
        return waits;
      },
      set callbackWaitsForEmptyEventLoop(value) {
        waits = value;
      },
    };

    die = (error, code) => {
      const exit = () => process.exit(code);
      if (ended) exit();
      ended = true;
      if (stream.opened) stream.abandon(error, exit);
      else channel.fail(payload(error), null, exit);
    };
    onIdle = () => fail('Response stream is not finished.');
    stream.on('error', fail);
    try {
      contextOf(invocation, context);
      const result = handler(JSON.parse(invocation.body), stream, context);
      if (typeof result?.then !== 'function') {
        fail('Streaming does not support non-async handlers.');
        return;
      }
      if ((await result) !== undefined) console.warn('Streaming handlers ignore return values.');
      if (!stream.writableFinished) await new Promise((done) => stream.once('finish', done));
    } catch (error) {
      fail(error ?? 'handled');
      return;
    }
    if (ended) return;
    ended = true;
    if (waits) onIdle = next;
    else {
      onIdle = null;
      next();
    }
  };
}

async function start() {
  patchConsole();
  if (!['1', 'true'].includes(env.AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA)) globalThis.awslambda = awslambda;
  onIdle = () => die(new RuntimeError('NodeJsExit', NODE_EXIT), 1);
  let handler;
  try {
    handler = await loadHandler(env.LAMBDA_TASK_ROOT, env._HANDLER);
  } catch (error) {
    logError('Uncaught Exception', error);
    die(error, 1);
    return;
  }
  onIdle = null;
  const kind = handler[STREAMING];
  if (kind && kind !== 'response') {
    die(new RuntimeError('MalformedStreamingHandler', 'Only response streaming is supported.'), 1);
    return;
  }
  channel.next(kind ? streaming(handler) : buffered(handler));
}

start();
