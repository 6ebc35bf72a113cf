// One evaluation, whatever its protocol, as plain JSON: what a command prints and keeps, and all that a page needs
// to draw it. A figure without its data, its trials and its uncertainty is not one, so they travel together.
import type { TarAtFar } from './roc.js';
import type { SummaryRow } from './summary.js';
import type { VerificationResult } from './verification.js';

export const EVALUATION_FORMAT = 'hypersphere-evaluation/1';

export const protocols = ['lfw', 'ytf', 'megaface', 'ijb', 'bin', 'pairs', 'open-set'] as const;
export type Protocol = (typeof protocols)[number];

/** The figures of a model on a data set by a protocol. Rates are shares, 0..1; intervals are 95 %. */
export interface Evaluation {
  format: typeof EVALUATION_FORMAT;
  protocol: Protocol;
  /** What was measured, in a few words: 'LFW verification, mode sphereface'. */
  title: string;
  /** The figures to print, those that matter most first. */
  summary: SummaryRow[];
  /** Whose embeddings were measured. */
  model: EvaluatedModel;
  /** Names and values: data, alignment, mode, numbers of images and trials, seed, device. */
  settings: [name: string, value: string][];
  /** What a reader must know before comparing a figure with another: skipped images, alignment, ties. */
  notes: string[];
  /** Of one-to-one scores. */
  verification?: VerificationPart;
  /** Closed-set identification, one curve a gallery size. */
  identification?: CmcCurve[];
  /** Open-set identification, one curve a gallery size. */
  openSet?: DetCurve[];
  /** The hardest mistakes, the worst of each kind first. */
  mistakes?: Mistake[];
  /** What the protocol alone has, for those who read the JSON. */
  details?: Record<string, unknown>;
  seconds: number;
}

/** The model, as far as its embeddings say. */
export interface EvaluatedModel {
  /** 'not stated' for embeddings without a manifest. */
  name: string;
  /** The ONNX file or the file of embeddings. */
  file: string;
  sha256?: string;
  trainedOn?: string;
  template?: string;
  /** Numbers of one template as it was compared. */
  length: number;
}

/** The parts of a VerificationResult that every one-to-one protocol can give. */
export interface VerificationPart
  extends Partial<Omit<VerificationResult, 'trials' | 'roc' | 'tarAtFar' | 'samePairs' | 'differentPairs'>> {
  samePairs: number;
  differentPairs: number;
  /** Corners of the ROC: false accept and true accept rates, rising. */
  roc: { far: number[]; tar: number[] };
  tarAtFar: TarAtFar[];
}

/** A cumulative match characteristic: how often the mate is among the best candidates of a closed gallery. */
export interface CmcCurve {
  /** Templates in the gallery, the mate among them. */
  gallery: number;
  /** Searches. */
  trials: number;
  /** Ascending, from 1. */
  ranks: number[];
  /** Share of searches whose mate is among the first `ranks[i]`. */
  rates: number[];
  /** Of `rates`, where they were computed. */
  intervals?: [number, number][];
  /** Templates in the gallery that are no faces but were drawn, where there are any. */
  synthetic?: number;
}

/** A detection error trade-off of searches in one gallery (ISO/IEC 19795-1; NIST's FRVT 1:N reports). */
export interface DetCurve {
  /** People in the gallery. */
  gallery: number;
  /** Searches for people who are enrolled, and for people who are not. */
  mated: number;
  nonMated: number;
  /** A mate counts when it is among the first `rank` candidates and at or above the threshold. */
  rank: number;
  /** By rising FPIR: thresholds fall, FNIR falls. */
  thresholds: number[];
  fpir: number[];
  fnir: number[];
  points: FnirAtFpir[];
}

/** FNIR at one FPIR, or the reason why the searches cannot tell it. DIR is 1 - FNIR. */
export interface FnirAtFpir {
  fpir: number;
  /** Null when the non-mated searches cannot support this FPIR: see `reason`. */
  fnir: number | null;
  /** At or above this score a candidate counts; null when unsupported. */
  threshold: number | null;
  /** False positives that FPIR allows among these searches: floor(fpir * nonMated). */
  falsePositives: number;
  /** Why there is no figure, or why to read it with care. */
  reason?: string;
  interval?: [number, number];
  thresholdInterval?: [number, number];
}

/** Two faces that were judged wrongly. */
export interface Mistake {
  /** Two people taken for one, or one for two. */
  kind: 'false match' | 'false non-match';
  a: { path: string; person: string };
  b: { path: string; person: string };
  score: number;
  /** At or above it two faces count as one person's. */
  threshold: number;
}
