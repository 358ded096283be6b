import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

// What the indices are compared with, from npm, kept outside the checkout: neither is a dependency.
const FAISS_NODE = 'faiss-node@0.5.1';
const USEARCH = 'usearch@2.26.2';
const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'kindred', 'bench-index');

const require = createRequire(import.meta.url);

/** The part of faiss-node that is measured, from its own declarations. */
interface FaissNode {
  readonly Index: { read(path: string): { search(query: number[], k: number): { labels: number[] } } };
}

interface UsearchIndex {
  add(keys: BigUint64Array, vectors: Float32Array): void;
  search(vectors: Float32Array, k: number): { keys: BigUint64Array };
}
interface Usearch {
  readonly Index: new (options: object) => UsearchIndex;
}

/**
 * faiss-node. Its install step downloads; its source is compiled here against the machine's FAISS instead, with the one
 * change that 1.7.3 asks for: the name of the type of ids.
 * @throws Error with what npm or the compiler said.
 */
export function loadFaissNode(): FaissNode {
  const addon = join(CACHE, 'faiss-node.node');
  if (!existsSync(addon)) {
    const source = join(install(FAISS_NODE), 'src', 'faiss.cc');
    const text = readFileSync(source, 'utf8').replace(
      'using idx_t = faiss::idx_t;',
      'using idx_t = faiss::Index::idx_t;',
    );
    const adapted = join(CACHE, 'faiss-node.cc');
    writeFileSync(adapted, text);
    const includes = [require('node-addon-api').include_dir, require('node-api-headers').include_dir] as string[];
    const flags = [
      '-std=c++17',
      '-O3',
      '-fPIC',
      '-shared',
      '-fopenmp',
      '-DNAPI_VERSION=8',
      '-DNODE_GYP_MODULE_NAME=faiss_node',
    ];
    const libraries = ['-lfaiss', '-lopenblas', '-lgomp'];
    const temporary = `${addon}.${process.pid}.tmp`;
    const exceptions = '-DNODE_ADDON_API_CPP_EXCEPTIONS';
    run('g++', [...flags, exceptions, ...includes.map((path) => `-I${path}`), adapted, '-o', temporary, ...libraries]);
    renameSync(temporary, addon);
  }
  return require(addon) as FaissNode;
}

/** usearch, whose package brings its binaries. @throws Error with what npm said, or where there is none for this machine. */
export function loadUsearch(): Usearch {
  return require(install(USEARCH)) as Usearch;
}

function install(name: string): string {
  const folder = join(CACHE, 'packages');
  const path = join(folder, 'node_modules', name.replace(/@[^@]*$/, ''));
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true });
    run('npm', ['install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', name]);
  }
  return path;
}

function run(command: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0)
    throw new Error(`${command} failed: ${error?.message ?? stderr.trim().split('\n').slice(-3).join(' ')}`);
}
