/*
 * `console` as Lambda's: every line with its time, the request's id and a level, tab separated. A line end inside a
 * message is sent as a carriage return, so that the message stays one event.
 *
 * AWS: "Log and monitor Node.js Lambda functions"; AWS_LAMBDA_LOG_FORMAT and AWS_LAMBDA_LOG_LEVEL.
 */
'use strict';

const { format } = require('node:util');
const { describe } = require('./errors.cjs');

const LEVELS = { trace: 'TRACE', debug: 'DEBUG', info: 'INFO', log: 'INFO', warn: 'WARN', error: 'ERROR', fatal: 'FATAL' };
const ORDER = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

const current = { requestId: undefined };
const structured = (process.env.AWS_LAMBDA_LOG_FORMAT ?? '').toUpperCase() === 'JSON';

function write(level, args) {
  const time = new Date().toISOString();
  const line = structured ? json(time, level, args) : `${time}\t${current.requestId}\t${level}\t${format(...args)}`;
  process.stdout.write(`${line.replaceAll('\n', '\r')}\n`);
}

function json(time, level, args) {
  const entry = { timestamp: time, level, requestId: current.requestId };
  const error = args.find((value) => value instanceof Error);
  if (error !== undefined) {
    const { name: errorType, message: errorMessage, stack } = error;
    Object.assign(entry, { errorType, errorMessage, stackTrace: String(stack).split('\n') });
  }
  const plain = args.length === 1 && error === undefined;
  try {
    return JSON.stringify({ ...entry, message: plain ? args[0] : format(...args) });
  } catch {
    return JSON.stringify({ ...entry, message: format(...args) });
  }
}

function patchConsole() {
  const least = ORDER.indexOf((process.env.AWS_LAMBDA_LOG_LEVEL ?? '').toUpperCase());
  for (const [method, level] of Object.entries(LEVELS)) {
    const shown = level === 'FATAL' || ORDER.indexOf(level) >= least;
    console[method] = shown ? (...args) => write(level, args) : () => {};
  }
}

/** What the runtime itself says of an error. */
function logError(what, error) {
  if (structured) console.error(error instanceof Error ? error : new Error(String(error)));
  else console.error(what, `\t${describe(error)}`);
}

module.exports = { current, logError, patchConsole };
