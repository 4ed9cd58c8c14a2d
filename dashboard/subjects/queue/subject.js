// The queue: what is pending and why, and how long jobs waited for their start. The charts of what waiting jobs want
// are the frame's. Reports of before the queue say nothing of it, and so does a cluster whose squeue gave no answer.

import { showGrid } from "../../tables/grid.js";
import { queueGlance } from "./queue_glance.js";
import { showQueue, waitingTable } from "./queue_part.js";
import { showWaits, waitsTable } from "./waits_part.js";

/** @type {Subject} */
export const queueSubject = {
  key: "queue",
  tables: ["waiting", "waits"],
  glance: queueGlance,
  finds: (data) =>
    (data.queue?.reasons ?? []).map(({ reason }) => ({
      name: reason,
      kind: "reason",
      change: () => ({ section: "queue" }),
    })),
  prepare(viewModel) {
    const { data } = viewModel;
    const at = data.queue?.at ?? data.metadata.last_updated_epoch; // how long something waits is told as of the answer
    return (place) => {
      showQueue(place("queue"), viewModel, at);
      showGrid(place("waiting"), waitingTable(viewModel, at));
      showWaits(place("waits"), viewModel);
      showGrid(place("waits-by-user"), waitsTable(viewModel));
    };
  },
};
