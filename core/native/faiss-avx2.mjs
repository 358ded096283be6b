// FAISS compiled for AVX2 from Debian's own source package, which apt checks by its signature; Debian's binary is for SSE2
// only. Minutes of work, so that the result is kept outside the checkout and shared by all of them.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, homedir } from 'node:os';
import { join } from 'node:path';

const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'kindred', 'faiss-avx2');

/** Where its libfaiss.a and include/ are; null where it has not been made on this machine. */
export function findFaissAvx2() {
  return existsSync(join(CACHE, 'libfaiss.a')) ? CACHE : null;
}

/** Makes it, unless it is there; gives its folder. @throws Error with what the failing step said. */
export function makeFaissAvx2() {
  const found = findFaissAvx2();
  if (found) return found;
  if (process.arch !== 'x64') throw new Error(`AVX2 is of x64 processors, this one is ${process.arch}`);
  const work = `${CACHE}.${process.pid}.tmp`;
  try {
    mkdirSync(work, { recursive: true });
    const source = unpackSource(work);
    const build = join(work, 'build');
    const options = ['OPT_LEVEL=avx2', 'ENABLE_GPU=OFF', 'ENABLE_PYTHON=OFF'].map((option) => `-DFAISS_${option}`);
    const common = ['-DBUILD_TESTING=OFF', '-DCMAKE_BUILD_TYPE=Release', '-DCMAKE_POSITION_INDEPENDENT_CODE=ON'];
    run('cmake', ['-S', source, '-B', build, ...options, ...common]);
    run('cmake', ['--build', build, '--target', 'faiss_avx2', '--parallel', String(availableParallelism())]);
    const done = join(work, 'done');
    cpSync(join(source, 'faiss'), join(done, 'include', 'faiss'), {
      recursive: true,
      filter: (path) => !/\.(cpp|cu|cuh|txt|py|swig)$/.test(path),
    });
    copyFileSync(join(build, 'faiss', 'libfaiss_avx2.a'), join(done, 'libfaiss.a'));
    rmSync(CACHE, { recursive: true, force: true });
    renameSync(done, CACHE);
    return CACHE;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Fetches the source package with lists of its own, so that the system's stay as they are; gives the unpacked folder. */
function unpackSource(work) {
  const sources = join(work, 'deb-src.sources');
  const lists = join(work, 'lists');
  mkdirSync(join(lists, 'partial'), { recursive: true });
  const codename = /^VERSION_CODENAME=(\w+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  writeFileSync(sources, sourceStanzas(readSources(), codename));
  const options = [`Dir::Etc::SourceList=${sources}`, 'Dir::Etc::SourceParts=/dev/null', `Dir::State::Lists=${lists}`];
  const apt = options.flatMap((option) => ['-o', option]);
  run('apt-get', [...apt, 'update'], work);
  run('apt-get', [...apt, 'source', '--download-only', 'faiss'], work);
  const archive = readdirSync(work).find((name) => /^faiss_.*\.orig\.tar\.\w+$/.test(name));
  if (!archive) throw new Error(`apt-get source brought no faiss_*.orig.tar.*, but ${readdirSync(work).join(', ')}`);
  const source = join(work, 'source');
  mkdirSync(source);
  run('tar', ['-xf', join(work, archive), '-C', source, '--strip-components=1']);
  return source;
}

/**
 * The stanzas of apt's deb822 sources in `texts` that bring the release `codename`, made ones for source packages.
 * @throws Error where there are none.
 */
export function sourceStanzas(texts, codename) {
  const suites = (stanza) => /^Suites:(.*)$/m.exec(stanza)?.[1]?.trim().split(/\s+/) ?? [];
  const stanzas = texts
    .flatMap((text) => text.replaceAll(/^#.*\n?/gm, '').split(/\n\s*\n/))
    .filter((stanza) => suites(stanza).includes(codename) && /^Types:.*\bdeb\b/m.test(stanza))
    .map((stanza) => stanza.trim().replace(/^Types:.*$/m, 'Types: deb-src'));
  if (stanzas.length === 0) throw new Error(`apt has no deb822 source of ${codename}`);
  return `${stanzas.join('\n\n')}\n`;
}

function readSources() {
  const folder = '/etc/apt/sources.list.d';
  const files = readdirSync(folder).filter((name) => name.endsWith('.sources'));
  return files.map((name) => readFileSync(join(folder, name), 'utf8'));
}

function run(command, args, cwd) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8', maxBuffer: 2 ** 26 });
  if (error) throw new Error(`${command} cannot be run (${error.message})`);
  if (status !== 0)
    throw new Error(`${command} ${args.at(-1)}: ${stderr.trim().split('\n').at(-1) || stdout.slice(-500)}`);
}
