from .api.adding import add_to_dataset as add_to_dataset
from .api.datasets import check as check
from .api.datasets import check_steps as check_steps
from .api.datasets import prepare as prepare
from .api.datasets import prepare_steps as prepare_steps
from .api.datasets import split as split
from .api.evaluating import evaluate as evaluate
from .api.evaluating import evaluate_folder as evaluate_folder
from .api.evaluating import evaluate_folder_steps as evaluate_folder_steps
from .api.files import read_image as read_image
from .api.files import read_labels as read_labels
from .api.files import write_labels as write_labels
from .api.models import list_models as list_models
from .api.models import load_model as load_model
from .api.results import relabel as relabel
from .api.segmenting import segment as segment
from .api.segmenting import segment_folder as segment_folder
from .api.segmenting import segment_folder_steps as segment_folder_steps
from .api.segmenting import segment_steps as segment_steps
from .api.training import train as train
from .api.training import train_steps as train_steps

__version__: str
__all__: list[str]
