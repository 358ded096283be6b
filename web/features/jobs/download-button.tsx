'use client';

import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconDownload } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { authorizedFetch } from '../../lib/urql.ts';
import { useApiOrigin, useSessionStore } from '../session/session-provider.tsx';
import { refusalOf } from './refusal-of.ts';

interface DownloadButtonProps {
  /** The path of the API that gives the file. */
  path: string;
  fileName: string;
  children: ReactNode;
}

/** Gets a file with the session's credential, which no link could carry, and hands it to the browser. */
export function DownloadButton({ path, fileName, children }: DownloadButtonProps) {
  const [pending, setPending] = useState(false);
  const session = useSessionStore();
  const apiOrigin = useApiOrigin();
  const download = async (): Promise<void> => {
    setPending(true);
    const problem = await save(authorizedFetch(session), `${apiOrigin}${path}`, fileName);
    setPending(false);
    if (problem !== null) notifications.show({ color: 'red', title: 'Nothing was downloaded', message: problem });
  };
  return (
    <Button
      leftSection={<IconDownload size={16} />}
      loading={pending}
      onClick={() => void download()}
      data-testid="download"
    >
      {children}
    </Button>
  );
}

/** Why the file could not be had, or null. */
async function save(get: typeof fetch, url: string, fileName: string): Promise<string | null> {
  const response = await get(url).catch(() => null);
  if (!response?.ok) return refusalOf(response);
  const address = URL.createObjectURL(await response.blob());
  const link = document.createElement('a');
  link.href = address;
  link.download = fileName;
  link.click();
  // The browser reads it after the click; a minute is far more than it needs to begin.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
  return null;
}
