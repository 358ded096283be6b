import '@fontsource-variable/inter/opsz.css';
import '@mantine/core/styles.css';
import '@mantine/charts/styles.css';
import '@mantine/notifications/styles.css';
import './global.css';
import { ColorSchemeScript, mantineHtmlProps } from '@mantine/core';
import type { Metadata, Viewport } from 'next';
import { headers } from 'next/headers';
import type { ReactNode } from 'react';
import { AppProviders } from '../features/shell/app-providers.tsx';
import { readEnv } from '../src/env.ts';

export const metadata: Metadata = {
  title: { default: 'Kindred', template: '%s · Kindred' },
  description: 'Train recommenders, watch them learn, and try what they recommend.',
};

export const viewport: Viewport = {
  themeColor: [
    { media: '(prefers-color-scheme: light)', color: '#fafafb' },
    { media: '(prefers-color-scheme: dark)', color: '#0b0c0f' },
  ],
};

// Reading the request's headers makes every page dynamic: the gateway's address and the nonce are known only then.
export default async function RootLayout({ children }: { children: ReactNode }) {
  const nonce = (await headers()).get('x-nonce') ?? '';
  return (
    <html lang="en" {...mantineHtmlProps}>
      <head>
        <ColorSchemeScript nonce={nonce} defaultColorScheme="auto" />
      </head>
      <body>
        <AppProviders apiOrigin={readEnv().apiOrigin}>{children}</AppProviders>
      </body>
    </html>
  );
}
