import { expect, it } from 'vitest';
import { settingsText } from './settings-text.ts';

it('names what a trial trains with', () => {
  const settings = [
    { name: 'learningRate', value: 0.012345678 },
    { name: 'negatives', value: 1024 },
  ];
  expect(settingsText(settings)).toBe('learning rate 0.01235 · negatives 1,024');
});

it("says of a trial without settings that it tries the model's own", () => {
  expect(settingsText([])).toBe("the model's own settings");
});
