/*
 * Errors as Lambda reports them: the payload of a failed invocation, and the line in the log.
 *
 * AWS: "AWS Lambda function errors in Node.js".
 */
'use strict';

const { types } = require('node:util');

const NODE_EXIT =
  'The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused by a Promise that ' +
  'was never settled. For more information, see https://nodejs.org/docs/latest/api/process.html#exit-codes';

/** An error of the runtime's own; its name, `Runtime.…`, is what callers see as errorType. */
class RuntimeError extends Error {
  constructor(kind, cause) {
    super(typeof cause === 'string' ? cause : String(cause));
    Object.defineProperty(this, 'name', { value: `Runtime.${kind}`, configurable: true });
    // The stack was written before the name was known.
    const lines = this.stack.slice(this.stack.indexOf('\n    at '));
    this.stack = `${this.name}: ${this.message}${lines.startsWith('\n    at ') ? lines : ''}`;
  }
}

function isError(value) {
  if (types.isNativeError(value) || value instanceof Error) return true;
  return Boolean(value) && ['name', 'message', 'stack'].every((key) => typeof value[key] === 'string' && value[key]);
}

/** The payload that the invocation ends with. */
function payload(error) {
  try {
    if (isError(error)) {
      return { errorType: error.name, errorMessage: error.message, trace: String(error.stack).split('\n') };
    }
    return { errorType: typeof error, errorMessage: String(error), trace: [] };
  } catch {
    return {
      errorType: 'handled',
      errorMessage:
        'callback called with Error argument, but there was a problem while retrieving one or more of its message, ' +
        'name, and stack',
    };
  }
}

/** One line: what is enumerable of the error too, such as `code`. */
function describe(error) {
  const whole = error instanceof Error ? error : new Error(String(error));
  const visible = (_key, value) =>
    value instanceof Error
      ? {
          errorType: value.name,
          errorMessage: value.message,
          code: value.code,
          ...value,
          stack: String(value.stack).split('\n'),
        }
      : value;
  try {
    return JSON.stringify(whole, visible);
  } catch {
    return JSON.stringify(payload(error));
  }
}

module.exports = { NODE_EXIT, RuntimeError, describe, payload };
