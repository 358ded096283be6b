import { expect, test } from 'vitest';
import { backportsBeside } from './debian-backports.mjs';

const DEB822 = `# From the image.
Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
`;

test('backports come from the mirror and the key of the release, not of its security updates', () => {
  expect(backportsBeside(DEB822, 'bookworm')).toEqual({
    form: 'sources',
    text: `Types: deb
URIs: http://mirror.example/debian
Suites: bookworm-backports
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`,
  });
});

test('sources of one line each give a line with their options', () => {
  const lines = 'deb [arch=amd64] http://mirror.example/debian bookworm main contrib\ndeb http://other.example x y\n';
  expect(backportsBeside(lines, 'bookworm')).toEqual({
    form: 'list',
    text: 'deb [arch=amd64] http://mirror.example/debian bookworm-backports main contrib\n',
  });
});

test.each([
  ['the backports are there', DEB822.replace('bookworm-updates', 'bookworm-backports')],
  ['the backports are there in a line', 'deb http://mirror.example/debian bookworm-backports main\n'],
  ['the release is another', DEB822.replaceAll('bookworm', 'trixie')],
  ['the source is off', DEB822.replace('Components', 'Enabled: no\nComponents')],
])('nothing is added when %s', (_, text) => {
  expect(backportsBeside(text, 'bookworm')).toBeNull();
});
