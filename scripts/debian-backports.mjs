// Newer packages for the Debian release that runs, from the mirror that the machine already uses.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SOURCES = '/etc/apt/sources.list.d';

/**
 * The source of `codename`'s backports beside one of the apt sources in `text` (deb822 or one line each), in the same form;
 * null where none is of that release, or the backports are there.
 */
export function backportsBeside(text, codename) {
  const suite = `${codename}-backports`;
  const stanzas = text.split(/\n\s*\n/).map((stanza) => stanza.replaceAll(/^#.*\n?/gm, '').trim());
  const suites = (stanza) => /^Suites:(.*)$/m.exec(stanza)?.[1]?.trim().split(/\s+/) ?? [];
  if (stanzas.some((stanza) => suites(stanza).includes(suite)) || text.includes(` ${suite} `)) return null;
  const stanza = stanzas.find((each) => suites(each).includes(codename) && !/^Enabled:\s*no/im.test(each));
  if (stanza) return { form: 'sources', text: `${stanza.replace(/^Suites:.*$/m, `Suites: ${suite}`)}\n` };
  const line = new RegExp(`^(deb\\s+(?:\\[[^\\]]*\\]\\s+)?\\S+)\\s+${codename}\\s+(.+)$`, 'm').exec(text);
  return line && { form: 'list', text: `${line[1]} ${suite} ${line[2]}\n` };
}

/**
 * Adds the backports of the running release to apt's sources where bookworm runs, and gives the options that install from
 * there. Backports are never chosen by themselves: apt takes them only for packages that ask for them. Other releases need
 * none: no options.
 */
export function useBackports() {
  const codename = /^VERSION_CODENAME=(\w+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  if (codename !== 'bookworm') return [];
  const files = ['/etc/apt/sources.list', ...readdirSync(SOURCES).map((name) => join(SOURCES, name))];
  const wanted = files.filter((path) => /\.(list|sources)$/.test(path) && existsSync(path));
  const source = backportsBeside(wanted.map((path) => readFileSync(path, 'utf8')).join('\n\n'), codename);
  if (source) writeFileSync(join(SOURCES, `kindred-backports.${source.form}`), source.text);
  return ['-t', `${codename}-backports`];
}
