interface Setting {
  name: string;
  value: number;
}

const FEW_DIGITS = 4;

/** A number as short as it can be told without being wrong in what matters: `0.0123`, `1,024`, `3`. */
function shortNumber(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString('en');
  return Number(value.toPrecision(FEW_DIGITS)).toString();
}

/** The name of a field as words: `learningRate` is `learning rate`. */
function inWords(name: string): string {
  return name.replace(/([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** What a trial trains with, in one line; the model's own settings where it changes none. */
export function settingsText(settings: readonly Setting[]): string {
  if (settings.length === 0) return "the model's own settings";
  return settings.map(({ name, value }) => `${inWords(name)} ${shortNumber(value)}`).join(' · ');
}
