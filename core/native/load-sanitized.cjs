// Loads the addon of core/build/sanitized in place of each of core/build: a preload of sanitize.mjs.
const { join, basename, dirname } = require('node:path');

const folder = join(__dirname, '..', 'build');
const load = process.dlopen;
process.dlopen = (target, path, ...flags) =>
  load.call(process, target, dirname(path) === folder ? join(folder, 'sanitized', basename(path)) : path, ...flags);
