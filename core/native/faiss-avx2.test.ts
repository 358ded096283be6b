import { expect, test } from 'vitest';
import { sourceStanzas } from './faiss-avx2.mjs';

const DEBIAN = `Types: deb
# http://snapshot.example/debian
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
`;

const BACKPORTS = `Types: deb
URIs: http://mirror.example/debian
Suites: bookworm-backports
Components: main
`;

test('source packages come from the mirrors of the running release, and from no others', () => {
  expect(sourceStanzas([BACKPORTS, `${DEBIAN}\n${BACKPORTS}`], 'bookworm')).toBe(
    'Types: deb-src\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\n',
  );
});

test('a machine without a source of the release is told so', () => {
  expect(() => sourceStanzas([BACKPORTS], 'bookworm')).toThrow('apt has no deb822 source of bookworm');
});
