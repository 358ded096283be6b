'use client';

import { Problem } from '../../features/shell/problem.tsx';

export default function DashboardError({ reset }: { error: Error; reset: () => void }) {
  return (
    <Problem
      title="This page stopped working"
      message="Something in it failed unexpectedly. Nothing was lost: try it again, or go on elsewhere."
      onRetry={reset}
    />
  );
}
