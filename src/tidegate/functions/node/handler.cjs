/*
 * From a handler's name, `folder/module.export`, to the function: CommonJS and ES modules.
 *
 * AWS: "Define Lambda function handler in Node.js".
 */
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const module_ = require('node:module');
const { pathToFileURL } = require('node:url');
const { RuntimeError } = require('./errors.cjs');

async function loadHandler(root, name) {
  if (name.includes('..')) {
    throw new RuntimeError(
      'MalformedHandlerName',
      `'${name}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`,
    );
  }
  const base = path.basename(name);
  const dot = base.indexOf('.');
  if (dot < 0) throw new RuntimeError('MalformedHandlerName', 'Bad handler');
  const folder = name.slice(0, name.length - base.length);
  const loaded = await loadModule(root, folder, base.slice(0, dot));
  const handler = base
    .slice(dot + 1)
    .split('.')
    .reduce((value, key) => value?.[key], loaded);
  if (!handler) throw new RuntimeError('HandlerNotFound', `${name} is undefined or not exported`);
  if (typeof handler !== 'function') throw new RuntimeError('HandlerNotFound', `${name} is not a function`);
  return handler;
}

async function loadModule(root, folder, name) {
  try {
    return await findModule(root, folder, name);
  } catch (error) {
    if (error instanceof SyntaxError) throw new RuntimeError('UserCodeSyntaxError', error);
    if (error?.code === 'MODULE_NOT_FOUND') throw new RuntimeError('ImportModuleError', error);
    throw error;
  }
}

async function findModule(root, folder, name) {
  const file = path.resolve(root, folder, name);
  if (isFile(file)) return require(file);
  const asModule = isModuleScope(path.dirname(file));
  for (const extension of ['.js', '.mjs', '.cjs', ...(process.features.typescript ? ['.ts', '.mts', '.cts'] : [])]) {
    if (!isFile(file + extension)) continue;
    const es = extension.startsWith('.m') || (asModule && !extension.startsWith('.c'));
    if (!es) return require(file + extension);
    searchNodePath();
    return import(pathToFileURL(file + extension).href);
  }
  return require(require.resolve(name, { paths: [root, path.resolve(root, folder)] }));
}

function isFile(file) {
  return fs.statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** Whether the nearest package.json says `"type": "module"`. */
function isModuleScope(folder) {
  if (folder.endsWith('/node_modules')) return false;
  const file = path.join(folder, 'package.json');
  if (fs.existsSync(file)) {
    try {
      return JSON.parse(fs.readFileSync(file, 'utf8'))?.type === 'module';
    } catch (error) {
      console.warn(`${file} cannot be read, it will be ignored for ES module detection purposes.`, error);
      return false;
    }
  }
  return folder !== '/' && isModuleScope(path.dirname(folder));
}

/** ES modules do not look at NODE_PATH by themselves, where layers and the SDK are. */
function searchNodePath() {
  const folders = (process.env.NODE_PATH ?? '').split(':').filter((folder) => folder && fs.existsSync(folder));
  if (folders.length === 0) return;
  const parents = folders.map((folder) => pathToFileURL(path.join(path.dirname(folder), '_')).href);
  if (module_.registerHooks) {
    module_.registerHooks({
      resolve(specifier, context, nextResolve) {
        try {
          return nextResolve(specifier, context);
        } catch (error) {
          if (!isBare(specifier) || error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
          for (const parentURL of parents) {
            try {
              return nextResolve(specifier, { ...context, parentURL });
            } catch {} // the next folder may have it
          }
          throw error;
        }
      },
    });
  } else if (module_.register) {
    module_.register(pathToFileURL(path.join(__dirname, 'node_path.mjs')).href, { data: parents });
  }
}

function isBare(specifier) {
  return !/^(?:[./]|[a-z]+:)/.test(specifier);
}

module.exports = { loadHandler };
