/*
 * Names of AWS that the gateway answers lead to it, on the ports of http and https, whatever library asks: every connection
 * of Node.js (http, https, tls, fetch) is made by `net.Socket`. Host header and certificate are of the name that was asked for.
 */
'use strict';

const net = require('net');

const PORTS = new Set(['80', '443']);

/** `config`: host, port and pattern of the names. */
function leadHome(config) {
  const [host, port, names] = config.split(' ', 3);
  const pattern = new RegExp(`^${names}\\.?$`, 'i');
  const isOurs = (name, at) => PORTS.has(String(at)) && typeof name === 'string' && pattern.test(name);
  const connect = net.Socket.prototype.connect;

  net.Socket.prototype.connect = function (...given) {
    const [first, second] = given;
    if (Array.isArray(first)) {
      // As node's own modules call it: options and callback in an array, which is marked and has to stay the same.
      const options = first[0];
      if (isOurs(options?.host, options?.port)) first[0] = { ...options, host, port: Number(port) };
    } else if (first !== null && typeof first === 'object') {
      if (isOurs(first.host, first.port)) given[0] = { ...first, host, port: Number(port) };
    } else if (isOurs(second, first)) {
      given[0] = Number(port);
      given[1] = host;
    }
    return connect.apply(this, given);
  };
}

module.exports = { leadHome };
