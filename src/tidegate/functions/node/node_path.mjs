/*
 * Lets ES modules find what NODE_PATH names, on versions of Node.js whose hooks run in a thread of their own
 * (module.register; newer ones: handler.cjs).
 */

let parents = [];

export function initialize(data) {
  parents = data;
}

export async function resolve(specifier, context, nextResolve) {
  try {
    return await nextResolve(specifier, context);
  } catch (error) {
    if (/^(?:[./]|[a-z]+:)/.test(specifier) || error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    for (const parentURL of parents) {
      try {
        return await nextResolve(specifier, { ...context, parentURL });
      } catch {} // the next folder may have it
    }
    throw error;
  }
}
