// Starts the sections that the engine serves: all of them beside a server, drawing and teaching without one.

import { startCameras } from "./camera.js";
import { startDrawing } from "./draw.js";
import { alertOf, byId } from "./elements.js";
import { engine } from "./engine.js";
import { startHands } from "./hands.js";
import { startPages } from "./page.js";

async function start() {
  const about = await engine.start();
  byId("model").textContent = about.model;
  byId("promise").textContent = about.promise;
  for (const section of document.querySelectorAll("[data-needs]")) section.hidden = !engine.can[section.dataset.needs];
  const judgeAgain = startDrawing(engine);
  if (engine.can.read) {
    const read = startPages(engine);
    startCameras(engine, read);
  }
  if (engine.can.learn) await startHands(engine, judgeAgain);
  if (engine.startMore) await engine.startMore(judgeAgain);
  document.documentElement.dataset.ready = "yes";
}

start().catch(alertOf);
