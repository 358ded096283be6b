/// <reference types="@webgpu/types" />
import { existsSync } from 'node:fs';
import { BackendUnavailableError } from '../backend-error.ts';

/** A GPU device in use on this thread. */
export interface OpenDevice {
  readonly device: GPUDevice;
  /** Vendor and model, for the record of a run. */
  readonly name: string;
  /** The longest buffer that a kernel can bind. */
  readonly mostBytes: number;
  /** Compiled shaders by their source. */
  readonly pipelines: Map<string, GPUComputePipeline>;
  /** What ended or broke the device; null while it works. */
  readonly failure: () => string | null;
}

/** What finds adapters; tests give others than Dawn. */
type GpuLoader = () => Promise<Pick<GPU, 'requestAdapter'>>;

export interface DeviceWish {
  /** Whether an adapter that computes on the processor (llvmpipe, SwiftShader) will not do, being slower than C++. */
  readonly needsHardware: boolean;
}

// Dawn's instance is collected, and the process crashes, when nothing but its devices holds it.
declare global {
  var kindredGpuInstance: GPU | undefined;
}

async function loadDawn(): Promise<GPU> {
  if (!globalThis.kindredGpuInstance) {
    const { create } = await import('webgpu');
    globalThis.kindredGpuInstance = create([]);
  }
  return globalThis.kindredGpuInstance;
}

const opened = new Map<boolean, Promise<OpenDevice>>();

/**
 * Where Linux shows GPUs: their drivers for graphics, NVIDIA's own, and Windows's to its subsystem. Looking costs nothing, while
 * loading Dawn and every Vulkan driver takes a third of a second and 70 MB only to find that there is software alone.
 */
const GPU_NODES = ['/dev/dri', '/dev/nvidiactl', '/dev/dxg'];

/** Why there can be no GPU here; null where there may be one. */
function explainAbsence(): string | null {
  if (process.platform !== 'linux' || GPU_NODES.some((path) => existsSync(path))) return null;
  return `no hardware adapter (none of ${GPU_NODES.join(', ')} is there)`;
}

/**
 * This thread's device, kept, since to open one takes longer than small trainings do; a lost one is opened anew. That there is no
 * hardware is remembered too, so that only a thread's first model asks for it.
 * @throws BackendUnavailableError when the package `webgpu` or such an adapter is missing, or the device cannot be opened.
 */
export async function openDevice({ needsHardware }: DeviceWish): Promise<OpenDevice> {
  const known = opened.get(needsHardware);
  if (known) {
    const isUsable = await known.then(
      ({ failure }) => failure() === null,
      () => needsHardware,
    );
    if (isUsable) return known;
  }
  const absence = needsHardware ? explainAbsence() : null;
  const opening = absence
    ? Promise.reject(new BackendUnavailableError(absence))
    : openDeviceOf(loadDawn, { needsHardware });
  opened.set(needsHardware, opening);
  return opening;
}

/** As `openDevice`, from another loader and without keeping it. */
export async function openDeviceOf(load: GpuLoader, { needsHardware }: DeviceWish): Promise<OpenDevice> {
  const gpu = await load().catch((error: unknown) => {
    throw new BackendUnavailableError(`the package webgpu does not load here (${firstLine(error)})`);
  });
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null);
  if (!adapter) throw new BackendUnavailableError('no adapter, neither a GPU with its driver nor a software one');
  const name = nameOf(adapter.info);
  if (needsHardware && isSoftwareAdapter(adapter.info)) {
    throw new BackendUnavailableError(`no hardware adapter (${name} is software)`);
  }
  const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  const device = await adapter
    .requestDevice({
      requiredFeatures: adapter.features.has('timestamp-query') ? ['timestamp-query'] : [],
      requiredLimits: { maxStorageBufferBindingSize, maxBufferSize },
    })
    .catch((error: unknown) => {
      throw new BackendUnavailableError(`${name} opens no device (${firstLine(error)})`);
    });
  let failure: string | null = null;
  const noteLoss = async () => {
    const { reason, message } = await device.lost;
    failure ??= `the device was lost (${reason}: ${firstLine(message)})`;
  };
  void noteLoss();
  device.addEventListener('uncapturederror', ({ error }) => {
    failure ??= firstLine(error);
  });
  const mostBytes = Math.min(maxStorageBufferBindingSize, maxBufferSize);
  return { device, name, mostBytes, pipelines: new Map(), failure: () => failure };
}

/** Whether the adapter computes on the processor. Dawn knows most of them; names tell the others. */
export function isSoftwareAdapter(
  info: Pick<GPUAdapterInfo, 'isFallbackAdapter' | 'architecture' | 'device' | 'description'>,
): boolean {
  const names = `${info.architecture} ${info.device} ${info.description}`;
  return info.isFallbackAdapter || /software|llvmpipe|lavapipe|swiftshader|softpipe|basic render/i.test(names);
}

function nameOf({ vendor, architecture, description, device }: GPUAdapterInfo): string {
  return description || [vendor, architecture, device].filter(Boolean).join(' ') || 'an adapter without a name';
}

function firstLine(error: unknown): string {
  const text = error instanceof Object && 'message' in error ? String(error.message) : String(error);
  return text.trim().split('\n')[0] ?? '';
}
