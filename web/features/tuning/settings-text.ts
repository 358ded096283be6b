import { formatSetting } from '../../lib/format.ts';

interface Setting {
  name: string;
  value: number;
}

/** The name of a field as words: `learningRate` is `learning rate`. */
function inWords(name: string): string {
  return name.replace(/([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** What a trial trains with, in one line; the model's own settings where it changes none. */
export function settingsText(settings: readonly Setting[]): string {
  if (settings.length === 0) return "the model's own settings";
  return settings.map(({ name, value }) => `${inWords(name)} ${formatSetting(value)}`).join(' · ');
}
