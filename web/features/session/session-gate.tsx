'use client';

import { usePathname, useRouter } from 'next/navigation';
import { type ReactNode, useEffect } from 'react';
import { FrameSkeleton } from '../shell/frame-skeleton.tsx';
import { useSession, useSessionStore } from './session-provider.tsx';

/** Shows the pages below to a signed-in account; anyone else is sent to sign in and comes back after. */
export function SessionGate({ children }: { children: ReactNode }) {
  const session = useSession();
  const store = useSessionStore();
  const router = useRouter();
  const path = usePathname();

  useEffect(() => {
    if (session !== null) return;
    const here = `${path}${window.location.search}`;
    const comesBack = store.lastEnd() !== 'signed-out' && here !== '/';
    router.replace(comesBack ? `/sign-in?next=${encodeURIComponent(here)}` : '/sign-in');
  }, [session, store, router, path]);

  return session ? children : <FrameSkeleton />;
}
