"""Runs within Blender: a GLB as pictures, under the camera that the other pictures have.

Arguments after "--": a JSON file of the scene, the GLB, the folder for the pictures.
"""

import json
import sys
from pathlib import Path
from typing import Any

import bpy
import mathutils
import numpy

# Debian pairs Blender 3.4, whose reader of glTF says numpy.bool, with a numpy without the name.
if "bool" not in vars(numpy):
    vars(numpy)["bool"] = bool


def upright(x: float, y: float, z: float) -> mathutils.Vector:
    """Y up to Blender's Z up, as its reader of glTF turns the body."""
    return mathutils.Vector((x, -z, y))


def main() -> None:
    """Build the scene and render each frame."""
    source, body, out = map(Path, sys.argv[sys.argv.index("--") + 1 :])
    wanted = json.loads(source.read_text())
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.fps = wanted["fps"]
    scene.render.fps_base = wanted["fps_base"]
    bpy.ops.import_scene.gltf(filepath=str(body))
    settings(scene, wanted)
    light(scene)
    floor(wanted)
    camera = camera_of(scene, wanted)
    axes = mathutils.Matrix([upright(*axis) for axis in wanted["axes"]]).transposed()
    for frame in range(wanted["frames"]):
        scene.frame_set(wanted["first"] + frame)
        place = upright(*wanted["places"][min(frame, len(wanted["places"]) - 1)])
        camera.matrix_world = mathutils.Matrix.Translation(place) @ axes.to_4x4()
        scene.render.filepath = str(out / f"{frame:05d}.png")
        bpy.ops.render.render(write_still=True)


def settings(scene: bpy.types.Scene, wanted: dict[str, Any]) -> None:
    """Cycles on the CPU, which needs no window."""
    scene.render.engine = "CYCLES"
    scene.cycles.samples = wanted["samples"]
    scene.cycles.use_denoising = False
    scene.render.resolution_x = scene.render.resolution_y = int(wanted["size"])
    scene.render.image_settings.color_mode = "RGB"
    scene.view_settings.view_transform = "Standard"


def light(scene: bpy.types.Scene) -> None:
    """A soft sun and a bright sky."""
    world = bpy.data.worlds.new("sky")
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs[0].default_value = (0.9, 0.93, 0.97, 1)
    world.node_tree.nodes["Background"].inputs[1].default_value = 0.4
    scene.world = world
    sun = bpy.data.lights.new("sun", "SUN")
    sun.energy, sun.angle = 1.3, 0.15
    made = bpy.data.objects.new("sun", sun)
    made.rotation_euler = (0.5, 0.35, 0.3)
    scene.collection.objects.link(made)


def floor(wanted: dict[str, Any]) -> None:
    """A plane of tiles of half a metre."""
    bpy.ops.mesh.primitive_plane_add(size=400, location=(0, 0, wanted["floor"] - 0.001))
    material = bpy.data.materials.new("tiles")
    material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    tiles = nodes.new("ShaderNodeTexChecker")
    tiles.inputs["Color1"].default_value = (0.80, 0.82, 0.86, 1)
    tiles.inputs["Color2"].default_value = (0.62, 0.66, 0.72, 1)
    tiles.inputs["Scale"].default_value = 2.0
    places = nodes.new("ShaderNodeTexCoord")
    links.new(places.outputs["Object"], tiles.inputs["Vector"])
    surface = nodes["Principled BSDF"]
    links.new(tiles.outputs["Color"], surface.inputs["Base Color"])
    surface.inputs["Roughness"].default_value = 0.9
    bpy.context.object.data.materials.append(material)


def camera_of(scene: bpy.types.Scene, wanted: dict[str, Any]) -> bpy.types.Object:
    """A camera of the focal length and the middle that the scene has."""
    lens = bpy.data.cameras.new("camera")
    lens.sensor_width = 36
    lens.lens = 36 * wanted["focal"] / wanted["size"]
    lens.shift_x = 0.5 - wanted["centre"][0] / wanted["size"]
    lens.shift_y = wanted["centre"][1] / wanted["size"] - 0.5
    made = bpy.data.objects.new("camera", lens)
    scene.collection.objects.link(made)
    scene.camera = made
    return made


main()
