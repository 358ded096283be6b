// Loads the addon of core/build/sanitized in place of each of core/build: a preload of sanitize.mjs.
const nodePath = require('node:path');

const folder = nodePath.join(__dirname, '..', 'build');
const load = process.dlopen.bind(process);
process.dlopen = (target, path, ...flags) => {
  const isOurs = nodePath.dirname(path) === folder;
  load(target, isOurs ? nodePath.join(folder, 'sanitized', nodePath.basename(path)) : path, ...flags);
};
