'use client';

import { Button, Menu, type ButtonProps } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconBraces, IconChevronDown, IconCopy, IconTerminal2 } from '@tabler/icons-react';
import type { DocumentNode } from 'graphql';
import { useApiOrigin } from '../session/session-provider.tsx';
import { curlCommand, runnableQuery } from './query-text.ts';

interface CopyQueryProps {
  document: DocumentNode;
  variables: Record<string, unknown>;
}

const JOINED: ButtonProps = { variant: 'default' };

/** Copies what the page asked, ready to run elsewhere. */
export function CopyQuery({ document, variables }: CopyQueryProps) {
  const apiOrigin = useApiOrigin();
  const query = (): string => runnableQuery(document, variables);
  return (
    <Button.Group>
      <Button
        {...JOINED}
        leftSection={<IconCopy size={15} />}
        onClick={() => void copy(query(), 'The query')}
        data-testid="copy-query"
      >
        Copy query
      </Button>
      <Menu position="bottom-end" width={190} shadow="md">
        <Menu.Target>
          <Button {...JOINED} px={9} aria-label="Other ways to copy">
            <IconChevronDown size={15} />
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            leftSection={<IconTerminal2 size={16} stroke={1.7} />}
            onClick={() => void copy(curlCommand(apiOrigin, query()), 'The command')}
          >
            Copy as cURL
          </Menu.Item>
          <Menu.Item
            leftSection={<IconBraces size={16} stroke={1.7} />}
            onClick={() => void copy(JSON.stringify(variables, null, 2), 'The variables')}
          >
            Copy variables
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </Button.Group>
  );
}

async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    notifications.show({ message: `${what} is in the clipboard.`, autoClose: 2500 });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'The browser refused.';
    notifications.show({ color: 'red', title: 'Nothing was copied', message: reason });
  }
}
