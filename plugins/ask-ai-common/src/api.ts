import type { RankedResult, SearchFilter, SearchMode } from './documents';
import type { VectorIndexStatus } from './vectorIndex';

/** One turn of a conversation. */
export interface ChatTurn {
  role: 'user' | 'assistant';
  content: string;
}

/** Body of `POST /`. */
export interface AskRequest {
  /** The question. */
  prompt: string;
  /** One of `askAi.allowedModels`; the default is `askAi.defaultModel`. */
  model?: string;
  /** Ask about one entity only. */
  entityId?: string;
  /** `false` asks the model without retrieval; needs a model server. Default `true`. */
  useRAG?: boolean;
  /** How many chunks the answer may stand on, 1 to 100. */
  topK?: number;
  /** Earlier turns, oldest first. */
  history?: ChatTurn[];
}

/** Answer of `POST /`. */
export interface AskResponse {
  /** Names the answer in `POST /feedback`. */
  id: string;
  /** Plain text or Markdown; numbers in brackets, such as `[1]`, name a source by its position. */
  answer: string;
  /** What the answer stands on, best first. */
  sources: RankedResult[];
  /** The language model that wrote the answer, or `extractive`. */
  model: string;
  /** `false` when nothing in the index supports an answer. */
  found: boolean;
  /** There when not all that the caller may read could be looked at in time. */
  isPartial?: true;
}

/** What `POST /` answers with `Accept: text/event-stream`, in this order. */
export type AskEvent =
  /** First and once: what the answer stands on. */
  | { event: 'sources'; data: { sources: RankedResult[]; model: string } }
  /** The answer, piece by piece as it is written. */
  | { event: 'token'; data: { text: string } }
  /** Last: the whole answer, which stands also where the pieces differ. */
  | { event: 'done'; data: AskResponse }
  /** Last, in place of `done`: what went wrong on the way. */
  | { event: 'error'; data: StreamError };

/** As Backstage answers errors. */
export interface StreamError {
  error: { name: string; message: string };
  response: { statusCode: number };
}

/** Body of `POST /search`. */
export interface SearchRequest {
  query: string;
  /** 1 to 100; the default is `askAi.defaultTopK`. */
  topK?: number;
  entityId?: string;
  filter?: SearchFilter;
  /** Default `hybrid`. */
  mode?: SearchMode;
  /** How many chunks before and after each hit are joined to it, 0 to 5. Default 0. */
  neighbours?: number;
}

/** Answer of `POST /search`. */
export interface SearchResponse {
  results: RankedResult[];
  /** There when not all that the caller may read could be looked at in time: there may be more. */
  isPartial?: true;
}

/** Body of `POST /feedback`. */
export interface FeedbackRequest {
  /** `id` of the answer. */
  answerId: string;
  rating: 'helpful' | 'unhelpful';
  /** Kept only with `askAi.questions.keepTexts`. */
  comment?: string;
}

/** A question that was asked and not answered. */
export interface UnansweredQuestion {
  /** As it was asked last. */
  question: string;
  /** How often it was asked; case, white space and punctuation at the end make no difference. */
  count: number;
  /** ISO 8601. */
  lastAskedAt: string;
}

/** Answer of `GET /questions/unanswered`; all of the time that `askAi.questions.retentionDays` keeps. */
export interface UnansweredQuestions {
  /** The most frequent first; empty unless `askAi.questions.keepTexts` is set. */
  questions: UnansweredQuestion[];
  counts: { asked: number; unanswered: number; helpful: number; unhelpful: number };
}

/** What started a run. */
export type RunTrigger = 'startup' | 'schedule' | 'manual' | 'entity';

/** How a run ended. */
export type RunOutcome = 'completed' | 'failed' | 'cancelled';

/** What a run has done so far. */
export interface RunCounts {
  documents: { seen: number; changed: number; removed: number; failed: number };
  chunks: { embedded: number; skipped: number; removed: number };
}

/** A finished run of the index. */
export interface RunSummary extends RunCounts {
  id: string;
  trigger: RunTrigger;
  outcome: RunOutcome;
  /** Why it failed or was cancelled. */
  reason?: string;
  /** ISO 8601. */
  startedAt: string;
  /** ISO 8601. */
  finishedAt: string;
}

/** A document that could not be indexed. */
export interface DocumentFailure {
  entityId: string;
  source: string;
  reason: string;
}

/** Answer of `GET /index/status`. */
export interface IndexStatus {
  state: 'idle' | 'running';
  /** Chunks in the store. */
  vectorCount: number;
  /** Distinct entities with at least one chunk. */
  entityCount: number;
  /** Only while a run is under way. */
  progress?: RunCounts & {
    id: string;
    trigger: RunTrigger;
    startedAt: string;
    /** Documents a second since the start. */
    documentsPerSecond: number;
    /** Only when the number of documents is known. */
    estimatedSecondsLeft?: number;
  };
  lastRun?: RunSummary;
  /** ISO 8601. */
  nextRun?: string;
  /** The latest 100. */
  failures: DocumentFailure[];
  /** What the chunks were embedded by; absent until something was. */
  embeddingSpace?: {
    provider: string;
    model: string;
    /** Numbers in a vector. */
    dimensions: number;
    /** Of how documents were cut. */
    chunkerVersion: number;
  };
  /** Absent when the store compares with every vector. */
  vectorIndex?: VectorIndexStatus;
}

/** Answer of the calls that start a run. */
export interface IndexStarted {
  /** The run that does the work: a new one, or the one that was joined. */
  runId: string;
  /** `true` when a run was under way already and takes care of the request. */
  joined: boolean;
}

/** Result of one health check. */
export interface HealthCheck {
  /** `warning`: all works, though slower or at a risk. */
  status: 'ok' | 'warning' | 'error';
  /** What is wrong, and what to do about it; never a secret. */
  message?: string;
  latencyMs: number;
}

/** Answer of `GET /health`; the status is 503 when a check is an error, else 200. */
export interface HealthResponse {
  status: 'ok' | 'error';
  checks: Record<string, HealthCheck>;
}
