'use client';

import 'graphiql/setup-workers/webpack';
import 'graphiql/style.css';
import { useComputedColorScheme } from '@mantine/core';
import { GraphiQL } from 'graphiql';
import { useEffect, useState } from 'react';
import { createSocketClient } from '../../lib/socket-client.ts';
import { createSocketStatusStore } from '../../lib/socket-status.ts';
import { authorizedFetch } from '../../lib/urql.ts';
import { useApiOrigin, useSessionStore } from '../session/session-provider.tsx';
import { createFetcher, loadPublishedSchema } from './create-fetcher.ts';
import type { Example } from './examples.ts';
import { createPageStorage } from './page-storage.ts';

/** GraphiQL, signed in as whoever is signed in to the dashboard. */
export function Explorer({ examples }: { examples: Example[] }) {
  const session = useSessionStore();
  const apiOrigin = useApiOrigin();
  const theme = useComputedColorScheme();
  const [storage] = useState(createPageStorage);
  const [socket] = useState(() => createSocketClient({ apiOrigin, session, status: createSocketStatusStore() }));
  const [fetcher] = useState(() =>
    createFetcher({ apiOrigin, send: authorizedFetch(session), socket, loadSchema: loadPublishedSchema }),
  );
  useEffect(() => () => void socket.dispose(), [socket]);
  return (
    <GraphiQL
      fetcher={fetcher}
      storage={storage}
      defaultTabs={examples}
      forcedTheme={theme}
      defaultEditorToolsVisibility="variables"
      isHeadersEditorEnabled={false}
    />
  );
}
