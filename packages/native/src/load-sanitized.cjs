// Loads the addon of `sanitized` beside it in place of each addon of the folder SANITIZED_ADDONS: a preload of sanitizers.mjs.
const nodePath = require('node:path');

const folder = process.env.SANITIZED_ADDONS;
const load = process.dlopen.bind(process);
process.dlopen = (target, path, ...flags) => {
  const isOurs = nodePath.dirname(path) === folder;
  load(target, isOurs ? nodePath.join(folder, 'sanitized', nodePath.basename(path)) : path, ...flags);
};
