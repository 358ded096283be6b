import { describe, expect, test } from 'vitest';
import { findCycle, type Import, readImports } from './import-graph.ts';

/** The layers of the house, the first pattern that fits a path wins. */
const LAYERS: [RegExp, string][] = [
  [/^packages\/domain\//, 'domain'],
  [/^packages\/service\//, 'service'],
  [/^packages\/native\//, 'native'],
  [/^packages\/testing\//, 'testing'],
  [/^prisma\//, 'db'],
  [/^core\//, 'core'],
  // Loaded on either side of the workflow sandbox; the package exports only the first to others.
  [/^workflows\/src\/(contract|failures|search-attributes)\.ts$/, 'contract'],
  [/^workflows\/src\/workflows\//, 'workflows'],
  [/^workflows\//, 'activities'],
  [/^subgraphs\/(model|recommendation)\//, 'computing subgraph'],
  [/^subgraphs\/(tenant|catalog)\//, 'subgraph'],
  [/^gateway\//, 'gateway'],
  [/^web\//, 'web'],
  [/^e2e\//, 'e2e'],
  [/^scripts\//, 'scripts'],
  [/^[^/]+\.ts$/, 'tooling'],
];

/** Which layers a layer's product code may import, besides itself. */
const ALLOWED: Record<string, readonly string[]> = {
  domain: [],
  native: [],
  core: ['native'],
  contract: ['domain'],
  service: ['domain'],
  db: ['domain'],
  subgraph: ['service', 'db', 'domain', 'contract'],
  'computing subgraph': ['service', 'db', 'domain', 'contract', 'core'],
  workflows: ['contract', 'domain'],
  activities: ['contract', 'workflows', 'core', 'db', 'service', 'domain'],
  gateway: ['service', 'domain', 'native'],
  web: [],
  scripts: ['db', 'domain', 'service'],
  testing: ['db', 'domain', 'service'],
  e2e: [],
  tooling: ['scripts'],
};

/** What tests may import besides what their layer may: the test kit, and what they arrange their world with. */
const ALLOWED_IN_TESTS = ['testing', 'db', 'domain', 'service', 'contract'];

const imports = readImports();

function layerOf(path: string): string | undefined {
  return LAYERS.find(([pattern]) => pattern.test(path))?.[1];
}

function isTest(path: string): boolean {
  return /(\.test\.tsx?|-suite\.ts)$|\/test-[^/]*\.ts$|^e2e\/|\/testing\/|\/bench\//.test(path);
}

function workspaceOf(path: string): string {
  return path.split('/', /^(packages|subgraphs)\//.test(path) ? 2 : 1).join('/');
}

function show({ from, line, to }: Import): string {
  return `${from}:${line} imports ${to}`;
}

function isAllowed({ from, to, typeOnly }: Import): boolean {
  const [here, there] = [layerOf(from), layerOf(to)];
  if (here === undefined) return false;
  if (there === undefined) return true; // somebody else's package
  if (here === there) return workspaceOf(from) === workspaceOf(to);
  if (ALLOWED[here]?.includes(there)) return true;
  // Workflows name the activities they call by their types; nothing of them is loaded into the sandbox.
  if (here === 'workflows' && there === 'activities' && typeOnly) return true;
  if (!isTest(from)) return false;
  return ALLOWED_IN_TESTS.includes(there) || workspaceOf(from) === workspaceOf(to);
}

describe('the import graph', () => {
  test('holds every workspace', () => {
    const layers = new Set(imports.map(({ from }) => layerOf(from)));
    expect([...layers]).toEqual(
      expect.arrayContaining(['domain', 'service', 'db', 'core', 'gateway', 'web', 'scripts']),
    );
  });

  test('goes only along the edges of the table', () => {
    expect(imports.filter((edge) => !isAllowed(edge)).map(show)).toEqual([]);
  });

  test('reaches the test kit from tests alone', () => {
    const kit = imports.filter(({ from, to }) => layerOf(to) === 'testing' && layerOf(from) !== 'testing');
    expect(kit.filter(({ from }) => !isTest(from)).map(show)).toEqual([]);
  });

  test('reaches the Prisma client from prisma alone', () => {
    const prisma = imports.filter(({ to }) => to.startsWith('@prisma/') || to.startsWith('prisma/src/generated/'));
    expect(prisma.length).toBeGreaterThan(0);
    expect(prisma.filter(({ from }) => layerOf(from) !== 'db').map(show)).toEqual([]);
  });

  test('has no circle', () => {
    expect(findCycle(imports)).toBeNull();
  });

  test('is read with its types, its circles and its dynamic imports', () => {
    const edge = (from: string, to: string, typeOnly = false): Import => ({ from, to, line: 1, typeOnly });
    expect(findCycle([edge('a', 'b'), edge('b', 'c'), edge('c', 'a')])).toEqual(['a', 'b', 'c', 'a']);
    expect(findCycle([edge('a', 'b'), edge('b', 'a', true)])).toBeNull();
    expect(imports).toContainEqual(expect.objectContaining({ from: 'web/src/server.ts', to: 'next', typeOnly: false }));
  });
});
