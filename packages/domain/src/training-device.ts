/** What computes a training. */
export type TrainingDevice = 'CPU' | 'GPU';

/** What a run is asked to compute with; AUTO takes a GPU where one is at work. */
export type DeviceWish = TrainingDevice | 'AUTO';

/** What a run was asked for, and whether it may do without a GPU that is not there. */
export interface DeviceRequest {
  wish: DeviceWish;
  mayFallBack: boolean;
}

/** What a run computes with, and why, in a sentence. */
export interface ChosenDevice {
  device: TrainingDevice;
  reason: string;
}
