import type { Metadata } from 'next';
import { BatchPage } from '../../../../features/batches/batch-page.tsx';

export const metadata: Metadata = { title: 'Batch' };

export default async function Page({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params;
  return <BatchPage batchId={decodeURIComponent(id)} />;
}
