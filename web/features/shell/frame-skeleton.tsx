'use client';

import { Skeleton } from '@mantine/core';
import classes from './app-frame.module.css';

/** The frame before it is known who is signed in. */
export function FrameSkeleton() {
  return (
    <div className={classes.skeleton} aria-busy="true" aria-label="Loading">
      <div className={classes.skeletonSide} />
      <div className={classes.content}>
        <Skeleton height={26} width={180} mb={28} />
        <Skeleton height={120} radius="lg" mb={16} />
        <Skeleton height={260} radius="lg" />
      </div>
    </div>
  );
}
