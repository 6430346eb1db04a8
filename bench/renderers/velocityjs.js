// velocityjs, Velocity in JavaScript. Needs its node_modules on NODE_PATH. The protocol is that of loop.py.
'use strict';
const { readFileSync } = require('node:fs');
const { createInterface } = require('node:readline');
const { Compile, parse } = require('velocityjs');

const BATCH = 20;
const [template, request] = process.argv.slice(2);
const parsed = parse(readFileSync(template, 'utf8'));
const sample = JSON.parse(readFileSync(request, 'utf8'));

const SHORT = {
  '\b': '\\b', '\n': '\\n', '\t': '\\t', '\f': '\\f', '\r': '\\r', "'": "\\'", '"': '\\"', '\\': '\\\\', '/': '\\/',
};
const escaped = (unit) => SHORT[unit] ?? `\\u${unit.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
const util = { escapeJavaScript: (text) => text.replace(/[^ -~]|["'\\/]/g, escaped) };

class Input {
  constructor(body, parameters) {
    this.document = JSON.parse(body);
    this.parameters = parameters;
  }

  // Enough JSONPath for the template: `$` and names.
  json(path) {
    return JSON.stringify(path.split('.').slice(1).reduce((value, name) => value[name], this.document));
  }

  params() {
    return this.parameters;
  }
}

function variables() {
  const path = {};
  for (const name in sample.path) path[name] = decodeURIComponent(sample.path[name]);
  const parameters = {
    path,
    querystring: Object.fromEntries(new URLSearchParams(sample.query)),
    header: Object.fromEntries(sample.headers),
  };
  return {
    input: new Input(sample.body, parameters),
    util,
    stageVariables: { ...sample.stageVariables },
    context: { ...sample.context, identity: { ...sample.context.identity } },
  };
}

const ready = variables();
const render = (given) => new Compile(parsed).render(given);
const kinds = { request: () => render(variables()), template: () => render(ready) };

function repeat(work, seconds) {
  const end = performance.now() + seconds * 1000;
  let count = 0;
  while (performance.now() < end) {
    for (let turn = 0; turn < BATCH; turn += 1) work();
    count += BATCH;
  }
  return count;
}

console.log(JSON.stringify(kinds.request()));
createInterface({ input: process.stdin }).on('line', (line) => {
  const [kind, seconds] = line.split(' ');
  console.log(repeat(kinds[kind], Number(seconds)));
});
