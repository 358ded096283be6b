'use client';

import { useEffect, useRef } from 'react';
import { formatClock } from '../../lib/format.ts';
import { Panel } from '../shell/panel.tsx';
import classes from './event-log.module.css';
import type { LogLine } from './training-progress.ts';

const NEAR_THE_END_PX = 40;

/** All that the run said, newest at the end; it scrolls along unless one has scrolled up to read. */
export function EventLog({ lines }: { lines: readonly LogLine[] }) {
  const box = useRef<HTMLOListElement>(null);
  const following = useRef(true);

  useEffect(() => {
    if (following.current && box.current) box.current.scrollTop = box.current.scrollHeight;
  });

  const onScroll = (): void => {
    const list = box.current;
    if (list) following.current = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_THE_END_PX;
  };

  return (
    <Panel title="Events" flush>
      <ol
        className={classes.log}
        ref={box}
        onScroll={onScroll}
        tabIndex={0}
        aria-label="Events of the run"
        data-testid="event-log"
      >
        {lines.length === 0 ? <li className={classes.empty}>Nothing yet.</li> : null}
        {lines.map(({ sequence, at, kind, text }) => (
          <li key={sequence} className={classes.line} data-kind={kind}>
            <time dateTime={at}>{formatClock(at)}</time>
            <span>{text}</span>
          </li>
        ))}
      </ol>
    </Panel>
  );
}
