import { expect, it } from 'vitest';
import { describeDevice } from './describe-device.ts';

it('says that a run fell back where it wanted a GPU and has none', () => {
  expect(describeDevice('GPU', 'CPU')).toEqual({ text: 'Asked for a GPU, computes with the CPU.', fellBack: true });
  expect(describeDevice('AUTO', 'CPU').fellBack).toBe(true);
});

it('says that a run got what it asked for', () => {
  expect(describeDevice('CPU', 'CPU')).toEqual({ text: 'Computes with the CPU, as asked.', fellBack: false });
  expect(describeDevice('AUTO', 'GPU').fellBack).toBe(false);
});

it('says what was asked until something is chosen', () => {
  expect(describeDevice('GPU', null)).toEqual({ text: 'Asked for a GPU.', fellBack: false });
});
