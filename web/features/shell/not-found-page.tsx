'use client';

import { Button } from '@mantine/core';
import { IconMapQuestion } from '@tabler/icons-react';
import Link from 'next/link';
import { Blank } from './blank.tsx';

export function NotFoundPage() {
  return (
    <main>
      <Blank
        icon={IconMapQuestion}
        title="There is nothing here"
        action={
          <Button component={Link} href="/">
            Go to the overview
          </Button>
        }
      >
        The address is mistyped, or what it named is gone.
      </Blank>
    </main>
  );
}
