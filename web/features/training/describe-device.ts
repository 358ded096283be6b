import type { DeviceWish, TrainingDevice } from '../../src/generated/graphql.ts';

const WISHES: Readonly<Record<DeviceWish, string>> = {
  AUTO: 'a GPU where one is there',
  GPU: 'a GPU',
  CPU: 'the CPU',
};

const DEVICES: Readonly<Record<TrainingDevice, string>> = { CPU: 'the CPU', GPU: 'a GPU' };

/** What was asked for and what came of it, in a sentence; `fellBack` where it is less than was hoped for. */
export function describeDevice(wish: DeviceWish, device: TrainingDevice | null): { text: string; fellBack: boolean } {
  const asked = `Asked for ${WISHES[wish]}`;
  if (device === null) return { text: `${asked}.`, fellBack: false };
  if (wish === device) return { text: `Computes with ${DEVICES[device]}, as asked.`, fellBack: false };
  return { text: `${asked}, computes with ${DEVICES[device]}.`, fellBack: device === 'CPU' };
}
