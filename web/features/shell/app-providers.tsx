'use client';

import { MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import type { ReactNode } from 'react';
import { theme } from '../../lib/theme.ts';
import { SessionProvider } from '../session/session-provider.tsx';

export function AppProviders({ apiOrigin, children }: { apiOrigin: string; children: ReactNode }) {
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto">
      <Notifications position="bottom-right" />
      <SessionProvider apiOrigin={apiOrigin}>{children}</SessionProvider>
    </MantineProvider>
  );
}
