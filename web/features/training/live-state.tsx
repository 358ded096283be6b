'use client';

import { useSocketStatus } from '../session/session-provider.tsx';
import { type PillTone, StatusPill } from '../shell/status-pill.tsx';

interface LiveStateProps {
  finished: boolean;
  refused: boolean;
}

/** Whether what the page shows is live. */
export function LiveState({ finished, refused }: LiveStateProps) {
  const status = useSocketStatus();
  const [tone, label] = ((): [PillTone, string] => {
    if (refused) return ['bad', 'Not available'];
    if (finished) return ['neutral', 'Stream ended'];
    if (status === 'open') return ['good', 'Live'];
    return status === 'closed' ? ['warm', 'Reconnecting…'] : ['neutral', 'Connecting…'];
  })();
  return (
    <span role="status">
      <StatusPill tone={tone} label={label} testId="socket-state" />
    </span>
  );
}
