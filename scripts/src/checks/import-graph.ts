import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseSync } from 'oxc-parser';
import { ROOT } from '../root.ts';

/** A static or dynamic import of one file by another, or of a package. */
export interface Import {
  from: string;
  /** A path from the top of the checkout, or the name of a package of somebody else. */
  to: string;
  line: number;
  /** Whether nothing of it is left at run time. */
  typeOnly: boolean;
}

/** Every import between the checkout's own source files and from packages. Paths are from the top of the checkout. */
export function readImports(): Import[] {
  const packages = readPackages();
  return sourceFiles().flatMap((file) => importsOf(file, packages));
}

/** All our source files, without what is generated. */
function sourceFiles(): string[] {
  const skipped = new Set(['node_modules', 'generated', '.next', '.turbo', '.kindred', 'build', 'dist', '.git']);
  return globSync('**/*.{ts,tsx,mjs}', {
    cwd: ROOT,
    exclude: (path) => path.split('/').some((part) => skipped.has(part)),
  })
    .filter((file) => !file.endsWith('.d.ts'))
    .toSorted();
}

/** Each workspace's folder by the name of its package. */
function readPackages(): Map<string, string> {
  const exclude = (path: string): boolean => path.includes('node_modules') || path.includes('.next');
  return new Map(
    globSync('**/package.json', { cwd: ROOT, exclude }).map((path) => {
      const { name } = JSON.parse(readFileSync(join(ROOT, path), 'utf8')) as { name: string };
      return [name, dirname(path)];
    }),
  );
}

function importsOf(file: string, packages: ReadonlyMap<string, string>): Import[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const { module: parsed, errors } = parseSync(file, text);
  if (errors.length > 0) throw new Error(`${file} does not parse: ${errors[0]?.message}`);
  const lineAt = (offset: number): number => text.slice(0, offset).split('\n').length;
  const of = (specifier: string, start: number, typeOnly: boolean): Import => {
    return { from: file, to: resolve(file, specifier, packages), line: lineAt(start), typeOnly };
  };
  const imports = parsed.staticImports.map(({ moduleRequest, entries, start }) =>
    of(moduleRequest.value, start, entries.length > 0 && entries.every(({ isType }) => isType)),
  );
  const exports = parsed.staticExports.flatMap(({ entries, start }) =>
    entries.flatMap(({ moduleRequest, isType }) => (moduleRequest ? [of(moduleRequest.value, start, isType)] : [])),
  );
  const dynamic = parsed.dynamicImports.flatMap(({ moduleRequest }) => {
    const specifier = /^(['"])(.*)\1$/.exec(text.slice(moduleRequest.start, moduleRequest.end))?.[2];
    return specifier === undefined ? [] : [of(specifier, moduleRequest.start, false)];
  });
  return [...imports, ...exports, ...dynamic];
}

function resolve(from: string, specifier: string, packages: ReadonlyMap<string, string>): string {
  if (specifier.startsWith('.')) return join(dirname(from), specifier);
  const [scope = '', name = '', ...rest] = specifier.split('/');
  const folder = packages.get(`${scope}/${name}`);
  return folder === undefined ? specifier : `${folder}/src/${rest.join('/')}.ts`;
}

/** The first circle of run-time imports as the files on it, or null. */
export function findCycle(imports: readonly Import[]): string[] | null {
  const targets = new Map<string, string[]>();
  for (const { from, to, typeOnly } of imports) {
    if (!typeOnly) targets.set(from, [...(targets.get(from) ?? []), to]);
  }
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): string[] | null => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return null;
    path.push(file);
    for (const target of targets.get(file) ?? []) {
      const cycle = visit(target);
      if (cycle !== null) return cycle;
    }
    path.pop();
    done.add(file);
    return null;
  };
  for (const file of targets.keys()) {
    const cycle = visit(file);
    if (cycle !== null) return cycle;
  }
  return null;
}
