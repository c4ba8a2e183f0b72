// The head in 3-D with the tumor inside. It rotates while it is on screen, unless the visitor prefers less
// motion or has paused it; a hand or the arrow keys turn it. Without WebGL nothing is shown.

import { readMessage } from "../viewer/message.js";
import { mount, Panel } from "../viewer/panel.js";
import { normalsOf, rotation } from "./geometry.js";

const SPEED = 0.35; // radians a second: once around takes 18 seconds
const INTERVAL = 33; // milliseconds between frames while nobody drags
const SLOW = 150; // milliseconds: after TOLERATED frames in a row that take longer it stops, for others need the time
const TOLERATED = 6;
const STILL = "(prefers-reduced-motion: reduce)";

const VERTEX = `
attribute vec3 place;
attribute vec3 normal;
uniform mat3 turn;
uniform vec2 fit;
varying vec3 facing;
void main() {
  facing = turn * normal;
  vec3 at = turn * place;
  float depth = 4.2 - at.z;
  gl_Position = vec4(at.xy * fit * 4.1 + vec2(0.0, 0.07 * depth), (depth - 4.2) * 2.0, depth);
}`;

// The tumor is solid. The head is glass: seen where its surface turns away from the eye.
const FRAGMENT = `
precision mediump float;
uniform vec3 color;
uniform float glass;
varying vec3 facing;
void main() {
  vec3 n = normalize(facing);
  float light = 0.45 + 0.6 * max(dot(n, normalize(vec3(-0.4, 0.6, 0.8))), 0.0);
  float rim = pow(1.0 - abs(n.z), 2.2);
  gl_FragColor = mix(vec4(color * light, 1.0), vec4(color, 0.05 + 0.6 * rim), glass);
}`;

export default (component) => mount(RotatingHead, component);

class RotatingHead extends Panel {
  constructor(parent) {
    super(parent);
    this.state = { yaw: -0.6, pitch: 0.28 };
    this.canvas = this.find("canvas");
    this.button = this.find("button");
    this.canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    this.canvas.addEventListener("webglcontextrestored", () => this.build());
    this.canvas.onpointerdown = (event) => this.canvas.setPointerCapture(event.pointerId);
    this.canvas.onpointermove = (event) => event.buttons && this.drag(event.movementX, event.movementY);
    this.canvas.onkeydown = (event) => this.key(event);
    this.button.onclick = () => this.pause(!this.paused);
    this.pause(matchMedia(STILL).matches);
    this.seen = new IntersectionObserver(([{ isIntersecting }]) => {
      this.visible = isIntersecting;
      this.run();
    });
    this.seen.observe(this.canvas);
    this.sized = new ResizeObserver(() => this.redraw());
    this.sized.observe(this.canvas);
  }

  receive(data) {
    const { meta, part } = readMessage(data);
    if (meta.version === this.version) return;
    this.version = meta.version;
    this.color = meta.color;
    this.meshes = ["head", "tumor"].flatMap((name) => {
      const [vertices, triangles] = [part(`${name}.vertices`), part(`${name}.triangles`)];
      if (!vertices) return [];
      const places = Float32Array.from(new Int16Array(vertices.slice().buffer), (value) => value / meta.scale);
      const indices = new Uint16Array(triangles.slice().buffer);
      return [{ name, places, indices, normals: normalsOf(places, indices) }];
    });
    const found = this.meshes.some(({ name }) => name === "tumor");
    this.find("figcaption").textContent = found ? "The network's mask in 3-D" : "";
    this.canvas.ariaLabel = `The head in 3-D${found ? " with the tumor inside, as the network marks it" : ""}. Arrow keys turn it.`;
    this.build();
  }

  // Put program and surfaces on the graphics processor, anew after it was lost.
  build() {
    const gl = (this.gl = this.canvas.getContext("webgl", { alpha: false, antialias: true, powerPreference: "low-power" }));
    this.find(".space").hidden = !gl;
    if (!gl) return;
    const program = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    gl.useProgram(program);
    const buffer = (kind, values) => {
      const made = gl.createBuffer();
      gl.bindBuffer(kind, made);
      gl.bufferData(kind, values, gl.STATIC_DRAW);
      return made;
    };
    this.uniform = (name) => gl.getUniformLocation(program, name);
    this.drawn = this.meshes.map((mesh) => ({
      ...mesh,
      buffers: [["place", mesh.places], ["normal", mesh.normals]].map(([name, values]) => [
        gl.getAttribLocation(program, name), buffer(gl.ARRAY_BUFFER, values),
      ]),
      elements: buffer(gl.ELEMENT_ARRAY_BUFFER, mesh.indices),
    }));
    this.redraw();
  }

  // Turn by the time since the last frame, for as long as it is seen.
  run() {
    if (this.closed || this.running || this.paused || !this.visible) return;
    let [before, slow] = [performance.now(), 0];
    const frame = (now) => {
      if (this.closed || this.paused || !this.visible) return (this.running = undefined);
      if (now - before >= INTERVAL) {
        slow = now - before > SLOW ? slow + 1 : 0;
        if (slow >= TOLERATED) {
          this.running = undefined;
          return this.pause(true);
        }
        this.state.yaw += (SPEED * Math.min(now - before, 100)) / 1000;
        before = now;
        this.show();
      }
      this.running = requestAnimationFrame(frame);
    };
    this.running = requestAnimationFrame(frame);
  }

  pause(paused) {
    this.paused = paused;
    const words = paused ? "Rotate" : "Pause the rotation";
    this.button.classList.toggle("paused", paused);
    [this.button.ariaLabel, this.button.title] = [words, words];
    this.run();
  }

  drag(across, down) {
    this.pause(true);
    const pitch = Math.max(-1.4, Math.min(1.4, this.state.pitch + down * 0.01));
    this.set({ yaw: this.state.yaw + across * 0.01, pitch });
  }

  key(event) {
    const turns = { ArrowLeft: [-15, 0], ArrowRight: [15, 0], ArrowUp: [0, -15], ArrowDown: [0, 15] };
    if (!(event.key in turns)) return;
    event.preventDefault();
    this.drag(...turns[event.key]);
  }

  show() {
    const { gl, canvas } = this;
    if (!gl || gl.isContextLost() || !canvas.clientWidth) return;
    const scale = Math.min(devicePixelRatio, 2);
    const [width, height] = [canvas.clientWidth, canvas.clientHeight].map((side) => Math.round(side * scale));
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    gl.viewport(0, 0, width, height);
    gl.clearColor(0.024, 0.031, 0.043, 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.enable(gl.DEPTH_TEST);
    gl.uniformMatrix3fv(this.uniform("turn"), false, rotation(this.state.yaw, this.state.pitch));
    const side = Math.min(width, height);
    gl.uniform2f(this.uniform("fit"), side / width, side / height);
    const named = (name) => this.drawn.filter((mesh) => mesh.name === name);
    gl.disable(gl.BLEND);
    gl.depthMask(true);
    named("tumor").forEach((mesh) => this.paint(mesh, this.color, 0));
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
    gl.depthMask(false);
    named("head").forEach((mesh) => this.paint(mesh, [0.62, 0.72, 0.84], 1));
  }

  paint({ buffers, elements, indices }, color, glass) {
    const { gl } = this;
    gl.uniform3fv(this.uniform("color"), color);
    gl.uniform1f(this.uniform("glass"), glass);
    for (const [place, buffer] of buffers) {
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.enableVertexAttribArray(place);
      gl.vertexAttribPointer(place, 3, gl.FLOAT, false, 0, 0);
    }
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, elements);
    gl.drawElements(gl.TRIANGLES, indices.length, gl.UNSIGNED_SHORT, 0);
  }

  close() {
    super.close();
    this.seen.disconnect();
    this.sized.disconnect();
    this.gl?.getExtension("WEBGL_lose_context")?.loseContext(); // a browser has only so many of them
  }
}
