// Measures one engine in a process of its own: one that fails, or aborts as faiss-node does, takes no other with it.
import { answerParent } from '../in-child.ts';
import { type EngineTask, measureEngine } from './measure-engine.ts';

await answerParent((task) => measureEngine(task as EngineTask));
