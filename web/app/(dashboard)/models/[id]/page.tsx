import type { Metadata } from 'next';
import { ModelPage } from '../../../../features/models/model-page.tsx';

export const metadata: Metadata = { title: 'Model' };

export default async function Page({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params;
  return <ModelPage modelId={decodeURIComponent(id)} />;
}
