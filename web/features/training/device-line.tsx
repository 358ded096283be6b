import { type FragmentType, readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import classes from './compute-line.module.css';
import { describeDevice } from './describe-device.ts';

const DEVICE = graphql(`
  fragment DeviceLine on TrainingRun {
    deviceWish
    device
    deviceReason
  }
`);

/** What a run was asked to compute with, what it got, and why where that is something else. */
export function DeviceLine({ run }: { run: FragmentType<typeof DEVICE> }) {
  const { deviceWish, device, deviceReason } = readFragment(DEVICE, run);
  const { text, fellBack } = describeDevice(deviceWish, device ?? null);
  return (
    <div data-testid="run-device" data-fell-back={fellBack}>
      <p className={classes.lead}>{text}</p>
      {deviceReason ? <p className={fellBack ? classes.fallback : classes.reason}>{deviceReason}</p> : null}
    </div>
  );
}
