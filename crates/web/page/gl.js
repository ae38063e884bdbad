// Layers of values, painted by the graphics card.

import { ROW } from "./painter.js";

const VERTEX = `#version 300 es
in vec2 corner;
void main() { gl_Position = vec4(corner, 0.0, 1.0); }`;

// As `paint` of painter.js, a fragment at a time. Light is looked up and mixed in whole numbers as far as places go.
const FRAGMENT = `#version 300 es
precision highp float;
precision highp int;
precision highp sampler2D;
precision highp usampler2D;
uniform sampler2D values;
uniform sampler2D smooths;
uniform usampler2D pieces;
uniform sampler2D linear;
uniform sampler2D bytes;
uniform ivec2 size;
uniform int side;
uniform vec2 origin;
uniform float scale;
uniform float height;
uniform float factor;
uniform float low;
uniform float top;
uniform bool banded;
uniform bool isShort;
uniform bool isPlain;
uniform bool isLit;
uniform vec4 light;
out vec4 colour;

uint bitsOf(float value) {
  return floatBitsToUint(min(max(1.0 + (value * factor - low), 1.0), top)) - 0x3f800000u;
}
uvec2 pieceAt(uint piece) {
  return texelFetch(pieces, ivec2(int(piece % ${ROW}u), int(piece / ${ROW}u)), 0).xy;
}
uint placeOf(float value) {
  uint bits = bitsOf(banded && value < 8388608.0 ? trunc(value) : value);
  uvec2 piece = pieceAt(bits >> 13u);
  return piece.x + (bits & 8191u) * piece.y;
}
vec3 stepOf(sampler2D table, uint step) {
  return texelFetch(table, ivec2(int(step % ${ROW}u), int(step / ${ROW}u)), 0).rgb;
}
uint mixed(uint value) {
  value = (value ^ (value >> 16u)) * 0x7feb352du;
  value = (value ^ (value >> 15u)) * 0x846ca68bu;
  return value ^ (value >> 16u);
}
float displaced(int index) {
  return side > 1 ? (float(mixed(uint(index)) >> 24u) - 128.0) / 256.0 : 0.0;
}
float rise(float before, float here, float after, float to, float from) {
  if (before != 0.0 && after != 0.0) return (after - before) / (to + from);
  if (before != 0.0) return (here - before) / to;
  return after != 0.0 ? (after - here) / from : 0.0;
}
float at(ivec2 place) {
  bool inside = all(greaterThanEqual(place, ivec2(0))) && all(lessThan(place, size));
  return inside ? texelFetch(smooths, place, 0).r : 0.0;
}
float gain(ivec2 place) {
  float here = at(place);
  if (here == 0.0) return 1.0;
  float dx = displaced(place.x);
  float dy = displaced(place.y);
  float left = place.x > 0 ? 1.0 + dx - displaced(place.x - 1) : 1.0;
  float right = place.x + 1 < size.x ? 1.0 + displaced(place.x + 1) - dx : 1.0;
  float across = rise(at(place - ivec2(1, 0)), here, at(place + ivec2(1, 0)), left, right);
  float up = -rise(at(place - ivec2(0, 1)), here, at(place + ivec2(0, 1)),
    1.0 + dy - displaced(place.y - 1), 1.0 + displaced(place.y + 1) - dy);
  float steepness = across * across + up * up;
  float finest = here / 4194304.0;
  float trust = steepness / (steepness + finest * finest) / (1.0 + steepness / 16.0);
  float cosine = steepness > 0.0 ? -(across * light.x + up * light.y) / sqrt(steepness) * trust : 0.0;
  float lit = max((cosine + light.w) / (1.0 + light.w), 0.0);
  if (lit <= light.z) return 1.0 - (1.0 - lit / max(light.z, 1e-38)) * 0.85;
  return 1.0 + (lit - light.z) / (1.0 - light.z) * 0.9;
}
vec3 encoded(vec3 value) {
  value = clamp(value, 0.0, 1.0);
  return mix(1.055 * pow(value, vec3(1.0 / 2.4)) - 0.055, value * 12.92, lessThanEqual(value, vec3(0.0031308)));
}
void main() {
  vec2 seen = vec2(gl_FragCoord.x, height - gl_FragCoord.y);
  ivec2 pixel = ivec2(floor((seen - origin) / scale));
  ivec2 pixels = size / side;
  if (any(lessThan(pixel, ivec2(0))) || any(greaterThanEqual(pixel, pixels))) discard;
  if (isPlain) {
    float value = texelFetch(values, pixel, 0).r;
    uint step = 4097u;
    if (value != 0.0) {
      uint place;
      if (isShort) {
        uvec2 piece = pieceAt(bitsOf(value) >> 13u);
        place = piece.x + 4096u * piece.y;
      } else {
        place = placeOf(value);
      }
      step = ((place >> 19u) + 1u) >> 1u;
    }
    colour = vec4(stepOf(bytes, step), 1.0);
    return;
  }
  vec3 sum = vec3(0.0);
  for (int row = 0; row < side; row += 1) {
    for (int column = 0; column < side; column += 1) {
      ivec2 place = pixel * side + ivec2(column, row);
      float value = texelFetch(values, place, 0).r;
      if (value == 0.0) {
        sum += stepOf(linear, 4097u);
        continue;
      }
      uint where = placeOf(value);
      float part = float(where & 0xfffffu) / 1048576.0;
      vec3 own = mix(stepOf(linear, where >> 20u), stepOf(linear, (where >> 20u) + 1u), part);
      sum += isLit ? own * gain(place) : own;
    }
  }
  // Rounded here, as the painter rounds: what writes the pixel may round otherwise.
  colour = vec4(floor(encoded(sum / float(side * side)) * 255.0 + 0.5) / 255.0, 1.0);
}`;

function compiled(gl, kind, text) {
  const shader = gl.createShader(kind);
  gl.shaderSource(shader, text);
  gl.compileShader(shader);
  if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
  return shader;
}

/** Whether shaders run on a graphics card; by the processor they are slower than plain code. */
function isCard() {
  const gl = document.createElement("canvas").getContext("webgl2");
  const told = gl && gl.getExtension("WEBGL_debug_renderer_info");
  return Boolean(gl) && !/swiftshader|llvmpipe|softpipe|software|basic render/i.test(gl.getParameter(told ? told.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
}

/** What paints layers with WebGL2; `null` where no card has it, unless `isAny`. */
export function cardPainter(canvas, isAny) {
  if (!isAny && !isCard()) return null;
  const gl = canvas.getContext("webgl2", { alpha: false, antialias: false, preserveDrawingBuffer: true });
  if (!gl) return null;
  const program = gl.createProgram();
  gl.attachShader(program, compiled(gl, gl.VERTEX_SHADER, VERTEX));
  gl.attachShader(program, compiled(gl, gl.FRAGMENT_SHADER, FRAGMENT));
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
  gl.useProgram(program);
  gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
  gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([-1, -1, 3, -1, -1, 3]), gl.STATIC_DRAW);
  const corner = gl.getAttribLocation(program, "corner");
  gl.enableVertexAttribArray(corner);
  gl.vertexAttribPointer(corner, 2, gl.FLOAT, false, 0, 0);
  const uniform = (name) => gl.getUniformLocation(program, name);
  const names = ["values", "smooths", "pieces", "linear", "bytes", "size", "side", "origin", "scale", "height", "factor", "low", "top", "banded", "isShort", "isPlain", "isLit", "light"];
  const at = Object.fromEntries(names.map((name) => [name, uniform(name)]));
  ["values", "smooths", "pieces", "linear", "bytes"].forEach((name, unit) => gl.uniform1i(at[name], unit));
  const textures = new WeakMap();

  function upload(unit, texture, [internal, width, height, format, type], data) {
    gl.activeTexture(gl.TEXTURE0 + unit);
    gl.bindTexture(gl.TEXTURE_2D, texture);
    if (data === undefined) return;
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.texImage2D(gl.TEXTURE_2D, 0, internal, width, height, 0, format, type, data);
    for (const side of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, side, gl.NEAREST);
    for (const side of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, side, gl.CLAMP_TO_EDGE);
  }

  /** The texture of an array, made once. */
  function bind(unit, data, [internal, width, height, format, type], padding) {
    let texture = textures.get(data);
    if (texture) return upload(unit, texture, []);
    texture = gl.createTexture();
    textures.set(data, texture);
    let whole = data;
    if (padding && data.length < padding) {
      whole = new data.constructor(padding);
      whole.set(data);
    }
    return upload(unit, texture, [internal, width, height, format, type], whole);
  }

  let tables = null;
  const own = [];
  return {
    name: "WebGL2",
    most: gl.getParameter(gl.MAX_TEXTURE_SIZE),
    paint(layers, { map, colours, banded, light }) {
      gl.viewport(0, 0, canvas.width, canvas.height);
      if (tables !== map || own[0] !== colours) {
        const rows = Math.ceil(map.pieces.length / 2 / ROW);
        for (const data of [tables && tables.pieces, own[0] && own[0].linear, own[0] && own[0].bytes]) this.forget(data);
        textures.delete(map.pieces);
        bind(2, map.pieces, [gl.RG32UI, ROW, rows, gl.RG_INTEGER, gl.UNSIGNED_INT], 2 * ROW * rows);
        bind(3, colours.linear, [gl.RGBA32F, ROW, 5, gl.RGBA, gl.FLOAT], 4 * ROW * 5);
        bind(4, colours.bytes, [gl.RGBA8, ROW, 5, gl.RGBA, gl.UNSIGNED_BYTE], 4 * ROW * 5);
        [tables, own[0]] = [map, colours];
      }
      gl.clearColor(0.04, 0.05, 0.08, 1);
      gl.clear(gl.COLOR_BUFFER_BIT);
      gl.uniform1f(at.height, canvas.height);
      gl.uniform1f(at.low, map.low);
      gl.uniform1f(at.top, map.top);
      gl.uniform1i(at.banded, banded ? 1 : 0);
      gl.uniform1i(at.isLit, light ? 1 : 0);
      if (light) gl.uniform4f(at.light, light.right, light.up, light.flat, light.height);
      for (const { tile, x, y, scale, factor } of layers) {
        const kind = [gl.R32F, tile.width, tile.height, gl.RED, gl.FLOAT];
        bind(0, tile.values, kind);
        bind(1, tile.smooth || tile.values, kind);
        const isPlain = !light && tile.side === 1;
        gl.uniform2i(at.size, tile.width, tile.height);
        gl.uniform1i(at.side, tile.side);
        gl.uniform2f(at.origin, x, y);
        gl.uniform1f(at.scale, scale);
        gl.uniform1f(at.factor, factor);
        gl.uniform1i(at.isPlain, isPlain ? 1 : 0);
        gl.uniform1i(at.isShort, isPlain && !banded && map.isFine ? 1 : 0);
        gl.drawArrays(gl.TRIANGLES, 0, 3);
      }
    },
    forget(data) {
      const texture = data && textures.get(data);
      if (texture) gl.deleteTexture(texture);
      if (data) textures.delete(data);
    },
  };
}
