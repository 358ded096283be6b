import type { ReactNode } from 'react';
import { SessionGate } from '../../features/session/session-gate.tsx';
import { AppFrame } from '../../features/shell/app-frame.tsx';

export default function DashboardLayout({ children }: { children: ReactNode }) {
  return (
    <SessionGate>
      <AppFrame>{children}</AppFrame>
    </SessionGate>
  );
}
